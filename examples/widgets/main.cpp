// SPDX-License-Identifier: MIT
#include "backendthread.h"
#include "headless.h"
#include "headlessrun.h"
#include "monitorwindow.h"

#include <Everwire/WebSocketProvider>

#include <QApplication>
#include <QCommandLineParser>

#include <cstdio>
#include <memory>

using namespace Qt::StringLiterals;
using Everwire::ConnectionConfig;
using Everwire::WebSocketProvider;
using Everwire::Demo::BackendThread;

namespace {

void addOptions(QCommandLineParser &parser)
{
    parser.setApplicationDescription(
        u"Watches one connection: to --url with --token, or to a backend inside of this program."_s);
    parser.addHelpOption();
    parser.addOptions({
        {u"url"_s, u"Where to connect to, ws:// or wss://."_s, u"url"_s},
        {u"token"_s, u"The token to authenticate with; without one, none is sent."_s, u"token"_s},
        {u"headless"_s, u"Without a display: send two messages, print what came, exit."_s},
        {u"screenshot"_s, u"The same, and write a picture of the window to <file>."_s, u"file"_s},
    });
}

} // namespace

int main(int argc, char *argv[])
{
    const bool headless = wantsHeadless(argc, argv);
    if (headless)
        qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication app(argc, argv);
    QApplication::setApplicationName(u"everwire-widgets"_s);
    QCommandLineParser parser;
    addOptions(parser);
    parser.process(app);

    const QString type = u"notifications"_s;
    WebSocketProvider *provider = WebSocketProvider::instance();
    std::unique_ptr<BackendThread> backend;
    ConnectionConfig config;
    if (parser.isSet(u"url"_s)) {
        config.setUrl(parser.value(u"url"_s));
        if (parser.isSet(u"token"_s))
            provider->setToken(parser.value(u"token"_s));
        else
            config.setAuthentication(ConnectionConfig::Authentication::None);
    } else {
        backend = std::make_unique<BackendThread>(headless ? 4 : 1);
        if (backend->url().isEmpty()) {
            std::fprintf(stderr, "everwire-widgets: the backend could not start: %s\n",
                         qUtf8Printable(backend->errorString()));
            return 1;
        }
        config.setUrl(backend->url().toString() + u'/' + type);
        provider->setToken(backend->token());
    }
    if (!provider->configure(type, config))
        return 1; // the log has said why

    MonitorWindow window(type);
    window.show();
    std::unique_ptr<HeadlessRun> run;
    if (headless || parser.isSet(u"screenshot"_s))
        run = std::make_unique<HeadlessRun>(&window, parser.value(u"screenshot"_s), backend ? 12 : 0);
    const int result = QApplication::exec();
    delete provider; // which says goodbye while the backend is there
    return result;
}
