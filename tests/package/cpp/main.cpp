// SPDX-License-Identifier: MIT
#include <Everwire/Connection>
#include <Everwire/WebSocketProvider>
#include <QCoreApplication>
#include <QDebug>

int main(int argc, char *argv[])
{
    QCoreApplication app(argc, argv);
    const Everwire::Connection *connection =
        Everwire::WebSocketProvider::instance()->connection("simulation");
    qInfo() << "state" << connection->state();
    return connection->state() == Everwire::Connection::Disconnected ? 0 : 1;
}
