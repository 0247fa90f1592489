// SPDX-License-Identifier: MIT
// The tasks that need QML; everwire-bench starts it.
#include "measurement.h"
#include "qmlmeasure.h"

#include <QGuiApplication>

#include <cstdio>

int main(int argc, char *argv[])
{
    const QGuiApplication app(argc, argv);
    // A page's window may go without the process.
    QGuiApplication::setQuitOnLastWindowClosed(false);
    const QStringList arguments = QCoreApplication::arguments();
    if (arguments.value(1) != QLatin1String("--task") || arguments.size() != 6) {
        std::fputs("everwire-bench starts this\n", stderr);
        return 2;
    }
    return Bench::print(
        Bench::runPage({arguments[2], arguments[3], arguments[4].toUShort(), arguments[5].toUShort()}));
}
