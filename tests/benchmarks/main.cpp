// SPDX-License-Identifier: MIT
#include "driver.h"
#include "loadserver.h"
#include "measure.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QFile>
#include <QJsonDocument>

#include <sys/resource.h>

#include <cstdio>

using namespace Bench;

namespace {

int drive(const QStringList &arguments)
{
    QCommandLineParser parser;
    parser.setApplicationDescription(
        QStringLiteral("Measures the library and its transports beside what there is without it."));
    parser.addHelpOption();
    const QCommandLineOption quick(QStringLiteral("quick"),
                                   QStringLiteral("Less of everything: under 3 minutes."));
    const QCommandLineOption smoke(QStringLiteral("smoke"), QStringLiteral("Only whether it works."));
    const QCommandLineOption out(QStringLiteral("out"), QStringLiteral("Also write the figures as JSON."),
                                 QStringLiteral("file"));
    const QCommandLineOption only(QStringLiteral("only"), QStringLiteral("Bars, for example P1,T4."),
                                  QStringLiteral("bars"));
    const QCommandLineOption peers(
        QStringLiteral("peers"),
        QStringLiteral("Parts of names; what they are measured against always takes part."),
        QStringLiteral("words"));
    parser.addOptions({quick, smoke, out, only, peers});
    parser.process(arguments);

    const auto list = [&parser](const QCommandLineOption &option) {
        return parser.value(option).split(QLatin1Char(','), Qt::SkipEmptyParts);
    };
    const QStringList bars = list(only);
    // Before the hours of work, not behind them.
    QFile file(parser.value(out));
    if (parser.isSet(out) && !file.open(QIODevice::WriteOnly | QIODevice::Truncate))
        qFatal("%s cannot be written: %s", qPrintable(file.fileName()), qPrintable(file.errorString()));

    Driver driver(list(peers));
    if (!driver.startServer())
        qFatal("the load server does not start");
    const Scale scale = parser.isSet(smoke) ? Scale::Smoke : parser.isSet(quick) ? Scale::Quick : Scale::Full;
    std::vector<Case> cases = transportCases(scale);
    const std::vector<Case> more = libraryCases(scale);
    cases.insert(cases.end(), more.begin(), more.end());
    for (const Case &one : cases) {
        if (bars.isEmpty() || bars.contains(one.bar, Qt::CaseInsensitive))
            driver.run(one);
    }
    driver.report().printSummary();
    if (file.isOpen())
        file.write(QJsonDocument(driver.report().toJson()).toJson());
    if (driver.failures() > 0)
        std::fprintf(stderr, "%d measurements failed\n", driver.failures());
    return driver.failures() > 0 ? 1 : 0;
}

// A thousand connections are more than a shell allows as a rule, and less than the system does.
void allowManySockets()
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace

int main(int argc, char *argv[])
{
    allowManySockets();
    QCoreApplication app(argc, argv);
    const QStringList arguments = QCoreApplication::arguments();
    if (arguments.value(1) == QLatin1String("--serve"))
        return serve();
    if (arguments.value(1) == QLatin1String("--task") && arguments.size() == 6)
        return run({arguments[2], arguments[3], arguments[4].toUShort(), arguments[5].toUShort()});
    return drive(arguments);
}
