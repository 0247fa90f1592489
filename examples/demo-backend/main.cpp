// SPDX-License-Identifier: MIT
#include "demobackend.h"

#include <QCommandLineParser>
#include <QCoreApplication>

#include <cstdio>

using namespace Everwire::Demo;
using namespace Qt::StringLiterals;

namespace {

constexpr int exitUsage = 1;
constexpr int shortestSecret = 32;

int complain(const QString &text)
{
    std::fprintf(stderr, "everwire-demo-backend: %s\n", qUtf8Printable(text));
    return exitUsage;
}

void addOptions(QCommandLineParser &parser)
{
    parser.setApplicationDescription(
        u"Sends notifications, the progress of assessments and prices to the examples. The secret of the "
        u"tokens "
        "comes from the environment variable EVERWIRE_JWT_SECRET (at least 32 bytes)."_s);
    parser.addHelpOption();
    parser.addOptions({
        {u"port"_s, u"Listen on <port> of 127.0.0.1; 0 takes any free one."_s, u"port"_s, u"8766"_s},
        {u"pace"_s, u"Go <factor> times as fast, 0.1 to 100."_s, u"factor"_s, u"1"_s},
        {u"issue-token"_s, u"Print a signed token and exit."_s},
    });
}

} // namespace

int main(int argc, char *argv[])
{
    QCoreApplication app(argc, argv);
    QCommandLineParser parser;
    addOptions(parser);
    parser.process(app);
    if (!parser.positionalArguments().isEmpty())
        return complain(
            u"'%1' is not understood; try --help"_s.arg(parser.positionalArguments().constFirst()));

    const QByteArray secret = qgetenv("EVERWIRE_JWT_SECRET");
    if (secret.size() < shortestSecret)
        return complain(
            u"EVERWIRE_JWT_SECRET must be set to at least %1 random bytes, for example with: export "
            "EVERWIRE_JWT_SECRET=$(openssl rand -hex 32)"_s.arg(shortestSecret));
    bool isNumber = false;
    const quint16 port = parser.value(u"port"_s).toUShort(&isNumber);
    if (!isNumber)
        return complain(u"--port must be a number from 0 to 65535"_s);
    const double pace = parser.value(u"pace"_s).toDouble(&isNumber);
    if (!isNumber || !(pace >= 0.1 && pace <= 100))
        return complain(u"--pace must be a number from 0.1 to 100"_s);

    DemoBackend backend(secret, pace);
    if (parser.isSet(u"issue-token"_s)) {
        std::printf("%s\n", qUtf8Printable(backend.token()));
        return 0;
    }
    if (!backend.listen(port))
        return complain(
            u"cannot listen on port %1: %2; choose another with --port, or 0 for any that is free"_s.arg(port)
                .arg(backend.errorString()));
    std::printf("listening on %s\n", qUtf8Printable(backend.url().toString()));
    std::fflush(stdout);
    return QCoreApplication::exec();
}
