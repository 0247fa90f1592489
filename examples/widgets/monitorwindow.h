// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/ConnectionHandle>

#include <QBindable>
#include <QProperty>
#include <QPropertyNotifier>
#include <QWidget>

#include <vector>

class QBoxLayout;
class QLabel;
class QLineEdit;
class QPushButton;
class QTableView;
class StatusDot;

// One connection as a person watches it: its state, what came and went, and what can be done about it.
class MonitorWindow : public QWidget
{
    Q_OBJECT

public:
    explicit MonitorWindow(const QString &type, QWidget *parent = nullptr);

    [[nodiscard]] Everwire::Connection *connection() const { return m_handle.connection(); }
    // What the send button does.
    void send(const QString &text);
    // What the window says of the connection.
    [[nodiscard]] QString summary() const { return m_summary; }

private:
    void makeProperties();
    [[nodiscard]] QBoxLayout *makeStatusLine();
    [[nodiscard]] QBoxLayout *makeTroubleLine();
    [[nodiscard]] QTableView *makeTable();
    [[nodiscard]] QBoxLayout *makeSendLine();
    // Calls now and at every change, for as long as the window lives.
    template<typename T, typename Show>
    void bind(QProperty<T> &property, Show show);

    Everwire::ConnectionHandle m_handle; // opens it, and closes it with the window

    // What the widgets show, each computed from the connection's own properties: a change of those is enough.
    QProperty<Everwire::Connection::State> m_state;
    QProperty<QString> m_summary;
    QProperty<QString> m_session;
    QProperty<QString> m_trouble;
    QProperty<QString> m_retryText;
    QProperty<QString> m_queue;
    QProperty<bool> m_canSend;
    std::vector<QPropertyNotifier> m_notifiers;

    QLabel *m_refusal = nullptr;
    QLineEdit *m_input = nullptr;
};
