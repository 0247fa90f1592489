// SPDX-License-Identifier: MIT
//
// everwire-storms: what scripts/storms runs. Prints its tables; the same seed prints the same.
#include "results.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QFile>
#include <QJsonDocument>
#include <QTextStream>

int main(int argc, char **argv)
{
    const QCoreApplication app(argc, argv);
    QCommandLineParser parser;
    const QCommandLineOption clients(QStringLiteral("clients"), QStringLiteral("Sizes of fleets."),
                                     QStringLiteral("n,n"), QStringLiteral("10000,1000000"));
    const QCommandLineOption seed(QStringLiteral("seed"), QStringLiteral("Of the random numbers."),
                                  QStringLiteral("n"), QStringLiteral("1"));
    const QCommandLineOption out(QStringLiteral("out"), QStringLiteral("Also writes the figures as JSON."),
                                 QStringLiteral("file"));
    parser.addOptions({clients, seed, out});
    parser.addHelpOption();
    parser.process(app);

    QList<int> fleets;
    const QStringList sizes = parser.value(clients).split(QLatin1Char(','));
    for (const QString &size : sizes) {
        fleets.append(size.toInt());
        if (fleets.last() <= 0)
            qFatal("--clients takes numbers above 0, not \"%s\"", qPrintable(size));
    }
    const auto results = Storms::runAll(fleets, parser.value(seed).toULongLong());
    QTextStream(stdout) << Storms::toMarkdown(results);
    if (!parser.isSet(out))
        return 0;
    QFile file(parser.value(out));
    if (!file.open(QIODevice::WriteOnly) ||
        file.write(QJsonDocument(Storms::toFigures(results)).toJson()) < 0)
        qFatal("%s: %s", qPrintable(file.fileName()), qPrintable(file.errorString()));
    return 0;
}
