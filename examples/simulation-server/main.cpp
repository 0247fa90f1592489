// SPDX-License-Identifier: MIT
#include "jsonwebtoken.h"
#include "simulationserver.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QDateTime>
#include <QDir>
#include <QSocketNotifier>

#include <cstdio>
#include <optional>
#include <unistd.h>

using namespace Everwire::Demo;
using namespace Qt::StringLiterals;

namespace {

constexpr int exitUsage = 1;
constexpr int exitNoScenario = 2;

void complain(const QString &text)
{
    std::fprintf(stderr, "everwire-simulation-server: %s\n", text.toUtf8().constData());
}

void addOptions(QCommandLineParser &parser)
{
    parser.setApplicationDescription(
        u"Stands in for the simulation backend. The secret of the tokens comes from the environment variable "
        "EVERWIRE_JWT_SECRET (at least 32 bytes)."_s);
    parser.addHelpOption();
    parser.addOptions({
        {u"port"_s, u"Listen on <port>; 0 takes any free one."_s, u"port"_s, u"8765"_s},
        {u"host"_s, u"Listen on the address <host>."_s, u"host"_s, u"127.0.0.1"_s},
        {u"out"_s, u"Store the turns as WAV files below <directory>."_s, u"directory"_s,
         QDir::temp().filePath(u"everwire-turns"_s)},
        {u"scenarios"_s, u"Read the scenarios from <directory> instead of the built-in ones."_s,
         u"directory"_s},
        {u"auth-error-form"_s, u"Refuse tokens by <form>: auth-error or payload."_s, u"form"_s,
         u"auth-error"_s},
        {u"no-faults"_s, u"Ignore requests for faults."_s},
        {u"issue-token"_s, u"Print a signed token and exit."_s},
        {u"user"_s, u"The user <name> of the token."_s, u"name"_s, u"demo-user"_s},
        {u"ttl"_s, u"The token is valid for <seconds>."_s, u"seconds"_s, u"3600"_s},
        {u"quit-on-stdin-close"_s, u"End when the standard input ends."_s},
    });
}

std::optional<qint64> numberOption(const QCommandLineParser &parser, const QString &name, qint64 lowest,
                                   qint64 highest)
{
    bool ok = false;
    const qint64 number = parser.value(name).toLongLong(&ok);
    if (ok && number >= lowest && number <= highest)
        return number;
    complain(u"--%1 must be a number from %2 to %3"_s.arg(name).arg(lowest).arg(highest));
    return std::nullopt;
}

std::optional<QByteArray> secretFromEnvironment()
{
    const QByteArray secret = qgetenv("EVERWIRE_JWT_SECRET");
    if (secret.size() >= minimumSecretBytes)
        return secret;
    complain(
        u"%1; set it to at least %2 random bytes, for example with: export EVERWIRE_JWT_SECRET=$(openssl rand -hex 32)"_s
            .arg(secret.isEmpty() ? u"EVERWIRE_JWT_SECRET is not set"_s
                                  : u"EVERWIRE_JWT_SECRET is too short"_s)
            .arg(minimumSecretBytes));
    return std::nullopt;
}

int printToken(const QCommandLineParser &parser, const QByteArray &secret)
{
    if (parser.value(u"user"_s).isEmpty()) {
        complain(u"--user must not be empty; the server refuses a token without a subject"_s);
        return exitUsage;
    }
    const std::optional<qint64> ttl = numberOption(parser, u"ttl"_s, 1, 365LL * 24 * 3600);
    if (!ttl)
        return exitUsage;
    const QJsonObject claims = demoClaims(parser.value(u"user"_s), QDateTime::currentSecsSinceEpoch(), *ttl);
    std::printf("%s\n", issueToken(claims, secret).constData());
    return 0;
}

std::optional<ServerOptions> readOptions(const QCommandLineParser &parser, const QByteArray &secret)
{
    ServerOptions options;
    options.secret = secret;
    options.outputDirectory = parser.value(u"out"_s);
    options.faultsEnabled = !parser.isSet(u"no-faults"_s);
    const std::optional<qint64> port = numberOption(parser, u"port"_s, 0, 65535);
    if (!port)
        return std::nullopt;
    options.port = quint16(*port);
    if (!options.address.setAddress(parser.value(u"host"_s))) {
        complain(u"--host must be an IP address, for example 127.0.0.1"_s);
        return std::nullopt;
    }
    const QString form = parser.value(u"auth-error-form"_s);
    if (form != u"auth-error"_s && form != u"payload"_s) {
        complain(u"--auth-error-form must be auth-error or payload"_s);
        return std::nullopt;
    }
    options.authErrorForm = form == u"payload"_s ? AuthErrorForm::Payload : AuthErrorForm::AuthError;
    const QString directory = parser.value(u"scenarios"_s);
    options.scenarios = directory.isEmpty() ? builtInScenarios() : loadScenarios(directory);
    return options;
}

void quitWhenInputEnds(QCoreApplication &app)
{
    auto *notifier = new QSocketNotifier(STDIN_FILENO, QSocketNotifier::Read, &app);
    QObject::connect(notifier, &QSocketNotifier::activated, &app, [notifier] {
        char buffer[256];
        if (read(STDIN_FILENO, buffer, sizeof buffer) > 0)
            return;
        notifier->setEnabled(false);
        QCoreApplication::quit();
    });
}

} // namespace

int main(int argc, char *argv[])
{
    QCoreApplication app(argc, argv);
    QCommandLineParser parser;
    addOptions(parser);
    parser.process(app);
    if (!parser.positionalArguments().isEmpty()) {
        complain(u"'%1' is not understood; try --help"_s.arg(parser.positionalArguments().constFirst()));
        return exitUsage;
    }

    const std::optional<QByteArray> secret = secretFromEnvironment();
    if (!secret)
        return exitUsage;
    if (parser.isSet(u"issue-token"_s))
        return printToken(parser, *secret);

    const std::optional<ServerOptions> options = readOptions(parser, *secret);
    if (!options)
        return exitUsage;
    for (const QString &problem : options->scenarios.problems)
        complain(u"scenario skipped: "_s + problem);
    if (options->scenarios.scenarios.isEmpty()) {
        complain(u"there is no valid scenario; correct one of the files above or leave --scenarios out"_s);
        return exitNoScenario;
    }

    SimulationServer server(*options);
    if (!server.listen()) {
        complain(u"cannot listen on port %1: %2; choose another with --port, or 0 for any that is free"_s
                     .arg(options->port)
                     .arg(server.errorString()));
        return exitUsage;
    }
    if (parser.isSet(u"quit-on-stdin-close"_s))
        quitWhenInputEnds(app);
    std::printf("listening on %s\n", server.url().toString().toUtf8().constData());
    std::fflush(stdout);
    return QCoreApplication::exec();
}
