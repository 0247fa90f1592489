// SPDX-License-Identifier: MIT
#include "catalog.h"
#include "headless.h"
#include "headlessrun.h"

#include <Everwire/WebSocketProvider>

#include <QCommandLineParser>
#include <QDir>
#include <QGuiApplication>
#include <QQmlApplicationEngine>
#include <QQuickStyle>
#include <QQuickWindow>

#include <cstdio>
#include <memory>

using namespace Qt::StringLiterals;

namespace {

constexpr int exitUsage = 1;

void complain(const QString &text)
{
    std::fprintf(stderr, "voice-simulation: %s\n", qUtf8Printable(text));
}

void addOptions(QCommandLineParser &parser)
{
    parser.setApplicationDescription(
        u"Practise a conversation with your voice. scripts/demo starts it with a server of its own; for "
        u"another "
        "one, set the environment variables EVERWIRE_TOKEN and SIMULATION_WS_URL."_s);
    parser.addHelpOption();
    parser.addOptions({
        {u"headless"_s, u"Hold one scripted conversation without a display, then exit."_s},
        {u"out"_s, u"With --headless: write the pictures, the transcript and the turns to <directory>."_s,
         u"directory"_s},
        {u"scenario"_s, u"Begin with the scenario <id>."_s, u"id"_s},
    });
}

// True for none, too: then it is the first one.
bool isScenario(const QString &id)
{
    QStringList ids;
    const QVariantList known = Catalog().scenarios();
    for (const QVariant &entry : known)
        ids.append(entry.toMap().value(u"id"_s).toString());
    if (id.isEmpty() || ids.contains(id))
        return true;
    complain(u"there is no scenario '%1'; use one of: %2"_s.arg(id, ids.join(u", "_s)));
    return false;
}

} // namespace

int main(int argc, char *argv[])
{
    const bool headless = wantsHeadless(argc, argv);
    if (headless) {
        qputenv("QT_QPA_PLATFORM", "offscreen");
        qputenv("QT_QUICK_BACKEND", "software");
    }
    QGuiApplication app(argc, argv);
    QGuiApplication::setApplicationName(u"voice-simulation"_s);
    QGuiApplication::setApplicationDisplayName(u"Voice simulation"_s);
    QCommandLineParser parser;
    addOptions(parser);
    parser.process(app);

    const QString out = parser.value(u"out"_s);
    if (headless && (out.isEmpty() || !QDir().mkpath(out))) {
        complain(u"--headless needs --out with a folder that can be written to"_s);
        return exitUsage;
    }
    const QString scenario = parser.value(u"scenario"_s);
    if (!isScenario(scenario))
        return exitUsage;
    const QString token = qEnvironmentVariable("EVERWIRE_TOKEN");
    if (headless && token.isEmpty()) {
        complain(u"EVERWIRE_TOKEN is not set; scripts/demo --headless starts a server and issues a token"_s);
        return exitUsage;
    }
    Everwire::WebSocketProvider::instance()->setToken(token);

    QQuickStyle::setStyle(u"Basic"_s);
    QQmlApplicationEngine engine;
    engine.addImportPath(u"qrc:/qt-project.org/imports"_s);
#ifdef VOICE_SIMULATION_QML_DIR
    engine.addImportPath(QStringLiteral(VOICE_SIMULATION_QML_DIR));
#endif
    engine.setInitialProperties({{u"tokenMissing"_s, token.isEmpty()}});
    engine.load(QUrl(u"qrc:/qt-project.org/imports/VoiceSimulation/Main.qml"_s));
    auto *window = engine.rootObjects().isEmpty()
                       ? nullptr
                       : qobject_cast<QQuickWindow *>(engine.rootObjects().constFirst());
    if (!window) {
        complain(u"the window could not be made; the reasons are above"_s);
        return exitUsage;
    }

    if (!scenario.isEmpty())
        window->property("voice").value<QObject *>()->setProperty("scenarioId", scenario);
    std::unique_ptr<HeadlessRun> run;
    if (headless) {
        run = std::make_unique<HeadlessRun>(window, out);
        QMetaObject::invokeMethod(run.get(), &HeadlessRun::start, Qt::QueuedConnection);
    }
    return QGuiApplication::exec();
}
