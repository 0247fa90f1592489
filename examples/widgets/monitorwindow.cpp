// SPDX-License-Identifier: MIT
#include "monitorwindow.h"

#include "statusdot.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QTableView>
#include <QVBoxLayout>

using namespace Qt::StringLiterals;
using Everwire::Connection;
using Everwire::MessageModel;

namespace {

QString nameOf(Connection::State state)
{
    switch (state) {
    case Connection::Disconnected: return MonitorWindow::tr("Disconnected");
    case Connection::Connecting: return MonitorWindow::tr("Connecting …");
    case Connection::Authenticating: return MonitorWindow::tr("Signing in …");
    case Connection::Connected: return MonitorWindow::tr("Connected");
    case Connection::Reconnecting: return MonitorWindow::tr("Waiting to reconnect");
    case Connection::Disconnecting: return MonitorWindow::tr("Disconnecting …");
    case Connection::Error: return MonitorWindow::tr("Not connected");
    }
    return {};
}

} // namespace

MonitorWindow::MonitorWindow(const QString &type, QWidget *parent) : QWidget(parent), m_handle(type)
{
    makeProperties();
    auto *layout = new QVBoxLayout(this);
    layout->addLayout(makeStatusLine());
    layout->addLayout(makeTroubleLine());
    layout->addWidget(makeTable(), 1);
    layout->addLayout(makeSendLine());
    bind(m_summary, [this](const QString &summary) { setWindowTitle(summary); });
    resize(860, 520);
    m_handle.open();
}

void MonitorWindow::makeProperties()
{
    const Connection *c = connection();
    m_state.setBinding([c] { return c->bindableState().value(); });
    m_summary.setBinding([this, c] { return u"%1 – %2"_s.arg(c->type(), nameOf(m_state)); });
    m_session.setBinding([c] {
        const Everwire::SessionInfo session = c->bindableSessionInfo().value();
        return session.userId().isEmpty()
                   ? QString()
                   : tr("%1, session %2").arg(session.userId(), session.sessionId().left(8));
    });
    m_trouble.setBinding([c] { return c->bindableError().value(); });
    m_retryText.setBinding([this, c] {
        const int seconds = (c->bindableNextRetryIn().value() + 999) / 1000;
        return m_state == Connection::Reconnecting ? tr("Retry now (in %1 s)").arg(seconds) : tr("Retry");
    });
    m_queue.setBinding([c] {
        const int waiting = c->bindableQueuedMessages().value();
        return waiting == 0 ? QString() : tr("%n message(s) waiting", nullptr, waiting);
    });
    m_canSend.setBinding(
        [this] { return m_state != Connection::Disconnected && m_state != Connection::Disconnecting; });
}

template<typename T, typename Show>
void MonitorWindow::bind(QProperty<T> &property, Show show)
{
    show(property.value());
    m_notifiers.push_back(property.addNotifier([&property, show] { show(property.value()); }));
}

QBoxLayout *MonitorWindow::makeStatusLine()
{
    auto *dot = new StatusDot;
    auto *state = new QLabel;
    auto *session = new QLabel;
    auto *queue = new QLabel;
    auto *toggle = new QPushButton;
    session->setForegroundRole(QPalette::PlaceholderText);
    queue->setForegroundRole(QPalette::PlaceholderText);
    bind(m_state, [=](Connection::State now) {
        dot->setState(now);
        state->setText(u"<b>%1</b>"_s.arg(nameOf(now)));
        toggle->setText(now == Connection::Disconnected ? tr("Connect") : tr("Disconnect"));
        toggle->setEnabled(now != Connection::Disconnecting);
    });
    bind(m_session, [=](const QString &text) { session->setText(text); });
    bind(m_queue, [=](const QString &text) { queue->setText(text); });
    connect(toggle, &QPushButton::clicked, this, [this] {
        if (m_state == Connection::Disconnected)
            m_handle.open();
        else
            connection()->close();
    });
    auto *line = new QHBoxLayout;
    line->addWidget(dot);
    line->addWidget(state);
    line->addWidget(session);
    line->addStretch();
    line->addWidget(queue);
    line->addWidget(toggle);
    return line;
}

QBoxLayout *MonitorWindow::makeTroubleLine()
{
    auto *trouble = new QLabel;
    trouble->setWordWrap(true);
    trouble->setTextFormat(Qt::PlainText);
    auto *retry = new QPushButton;
    bind(m_trouble, [=](const QString &text) {
        trouble->setText(text);
        trouble->setVisible(!text.isEmpty());
        retry->setVisible(!text.isEmpty());
    });
    bind(m_retryText, [=](const QString &text) { retry->setText(text); });
    connect(retry, &QPushButton::clicked, this, [this] { connection()->open(); });
    auto *line = new QHBoxLayout;
    line->addWidget(trouble, 1);
    line->addWidget(retry);
    return line;
}

QTableView *MonitorWindow::makeTable()
{
    auto *table = new QTableView;
    MessageModel *messages = connection()->messages();
    table->setModel(messages);
    table->setSelectionBehavior(QAbstractItemView::SelectRows);
    table->setAlternatingRowColors(true);
    table->setShowGrid(false);
    table->setWordWrap(false);
    table->verticalHeader()->hide();
    QHeaderView *header = table->horizontalHeader();
    header->setStretchLastSection(true);
    header->setHighlightSections(false);
    header->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    header->moveSection(MessageModel::TimeColumn, 0);
    const int letter = fontMetrics().averageCharWidth();
    table->setColumnWidth(MessageModel::TimeColumn, 16 * letter);
    table->setColumnWidth(MessageModel::TypeColumn, 18 * letter);
    table->setColumnWidth(MessageModel::DirectionColumn, 12 * letter);
    table->setColumnWidth(MessageModel::SizeColumn, 9 * letter);
    // Follows the newest, unless the user looks at older ones.
    connect(messages, &QAbstractItemModel::rowsInserted, table, [table] {
        const QScrollBar *bar = table->verticalScrollBar();
        if (bar->value() == bar->maximum())
            QMetaObject::invokeMethod(table, &QTableView::scrollToBottom, Qt::QueuedConnection);
    });
    return table;
}

QBoxLayout *MonitorWindow::makeSendLine()
{
    m_input = new QLineEdit(uR"({"type": "ping"})"_s);
    m_input->setPlaceholderText(tr("A JSON message with a \"type\", or any text"));
    auto *button = new QPushButton(tr("Send"));
    m_refusal = new QLabel;
    m_refusal->setTextFormat(Qt::PlainText);
    m_refusal->setWordWrap(true);
    m_refusal->hide();
    bind(m_canSend, [=, input = m_input](bool can) {
        button->setEnabled(can);
        input->setEnabled(can);
    });
    const auto sendIt = [this] { send(m_input->text()); };
    connect(button, &QPushButton::clicked, this, sendIt);
    connect(m_input, &QLineEdit::returnPressed, this, sendIt);
    connect(connection(), &Connection::messageRejected, this, [this](const QString &reason) {
        m_refusal->setText(tr("Not sent: %1").arg(reason));
        m_refusal->show();
    });
    auto *line = new QHBoxLayout;
    line->addWidget(m_input, 1);
    line->addWidget(button);
    auto *both = new QVBoxLayout;
    both->addLayout(line);
    both->addWidget(m_refusal);
    return both;
}

void MonitorWindow::send(const QString &text)
{
    m_refusal->hide();
    const QJsonDocument json = QJsonDocument::fromJson(text.toUtf8());
    if (json.isObject())
        connection()->sendJson(json.object());
    else
        connection()->send(text);
}
