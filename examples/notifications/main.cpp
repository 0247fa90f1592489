// SPDX-License-Identifier: MIT
#include "backendthread.h"
#include "headless.h"
#include "headlessrun.h"
#include "trayicon.h"

#include <Everwire/NotificationFeed>
#include <Everwire/WebSocketProvider>

#include <QApplication>
#include <QCommandLineParser>
#include <QQmlApplicationEngine>
#include <QQuickStyle>
#include <QQuickWindow>

#include <cstdio>
#include <memory>

using namespace Qt::StringLiterals;
using Everwire::ConnectionConfig;
using Everwire::WebSocketProvider;
using Everwire::Demo::BackendThread;

namespace {

constexpr int exitFailure = 1;

int complain(const QString &text)
{
    std::fprintf(stderr, "everwire-notifications: %s\n", qUtf8Printable(text));
    return exitFailure;
}

void addOptions(QCommandLineParser &parser)
{
    parser.setApplicationDescription(
        u"Live notifications, progress and prices. They come from a backend inside of this program, or from "
        "another: set EVERWIRE_TOKEN, NOTIFICATIONS_WS_URL, ASSESSMENTS_WS_URL and PRICES_WS_URL."_s);
    parser.addHelpOption();
    parser.addOptions({
        {u"headless"_s, u"Without a display: wait for notifications and progress, print them, exit."_s},
        {u"screenshot"_s, u"The same, and write a picture of the window to <file>."_s, u"file"_s},
        {u"theme"_s, u"The colours: system, light or dark."_s, u"theme"_s, u"system"_s},
        {u"size"_s, u"The window's size, for example 480x760."_s, u"size"_s},
    });
}

// nullptr where the environment names another one.
std::unique_ptr<BackendThread> startBackend(bool quickly)
{
    if (qEnvironmentVariableIsSet("NOTIFICATIONS_WS_URL")) {
        WebSocketProvider::instance()->setToken(qEnvironmentVariable("EVERWIRE_TOKEN"));
        return nullptr;
    }
    auto backend = std::make_unique<BackendThread>(quickly ? 4 : 1);
    WebSocketProvider::instance()->setToken(backend->token());
    for (const QString &type : {u"notifications"_s, u"assessments"_s, u"prices"_s})
        WebSocketProvider::instance()->configure(
            type, ConnectionConfig().setUrl(backend->url().toString() + u'/' + type));
    return backend;
}

QQuickWindow *load(QQmlApplicationEngine &engine, bool canCutLine)
{
    engine.addImportPath(u"qrc:/qt-project.org/imports"_s);
    engine.addImportPath(QStringLiteral(NOTIFICATIONS_QML_DIR));
    engine.setInitialProperties({{u"canCutLine"_s, canCutLine}});
    engine.load(QUrl(u"qrc:/qt-project.org/imports/NotificationsExample/Main.qml"_s));
    return qobject_cast<QQuickWindow *>(engine.rootObjects().value(0));
}

void resize(QWindow *window, const QString &size)
{
    const QStringList sides = size.split(u'x');
    if (sides.size() == 2)
        window->resize(sides[0].toInt(), sides[1].toInt());
}

} // namespace

int main(int argc, char *argv[])
{
    const bool headless = wantsHeadless(argc, argv);
    if (headless) {
        qputenv("QT_QPA_PLATFORM", "offscreen");
        qputenv("QT_QUICK_BACKEND", "software");
    }
    QApplication app(argc, argv);
    QApplication::setApplicationName(u"everwire-notifications"_s);
    QApplication::setApplicationDisplayName(u"Notifications"_s);
    QCommandLineParser parser;
    addOptions(parser);
    parser.process(app);
    const bool isScripted = headless || parser.isSet(u"screenshot"_s);

    const std::unique_ptr<BackendThread> backend = startBackend(isScripted);
    if (backend && backend->url().isEmpty())
        return complain(u"the backend could not start: %1"_s.arg(backend->errorString()));

    QQuickStyle::setStyle(u"Basic"_s);
    QQmlApplicationEngine engine;
    QQuickWindow *window = load(engine, backend != nullptr);
    if (!window)
        return complain(u"the window could not be made; the reasons are above"_s);
    QMetaObject::invokeMethod(window, "setThemeMode", Q_ARG(QString, parser.value(u"theme"_s)));
    resize(window, parser.value(u"size"_s));
    if (backend)
        QObject::connect(window, SIGNAL(lineCut()), backend.get(), SLOT(dropAll()));

    std::unique_ptr<TrayIcon> tray;
    if (QSystemTrayIcon::isSystemTrayAvailable())
        tray = std::make_unique<TrayIcon>(window->property("feed").value<Everwire::NotificationFeed *>(),
                                          window);
    std::unique_ptr<HeadlessRun> run;
    if (isScripted)
        run = std::make_unique<HeadlessRun>(window, parser.value(u"screenshot"_s));
    return QApplication::exec();
}
