// SPDX-License-Identifier: MIT
#include "peer.h"

#include <QDir>
#include <QFile>
#include <QNetworkInterface>
#include <QStandardPaths>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTest>
#include <QWebSocket>
#include <QWebSocketServer>

#ifdef Q_OS_LINUX
#include <csignal>
#include <sys/prctl.h>
#endif

namespace {

constexpr int startTimeout = 20000;

QString s(const char *text)
{
    return QString::fromUtf8(text);
}

// Nobody has it now; who asks the system for any port is unlikely to get it before the peer does.
quint16 freePort()
{
    QTcpServer server;
    server.listen(QHostAddress::LocalHost);
    return server.serverPort();
}

bool answers(quint16 port)
{
    QTcpSocket socket;
    socket.connectToHost(QHostAddress::LocalHost, port);
    return socket.waitForConnected(1000);
}

} // namespace

void ProcessPeer::run(const QString &program, const QStringList &arguments, const char *package,
                      const QString &deflate, quint16 port)
{
    QString path = QStandardPaths::findExecutable(program);
    if (path.isEmpty()) // servers are not in everyone's PATH
        path = QStandardPaths::findExecutable(program, {s("/usr/sbin"), s("/usr/local/sbin")});
    const QString install = s("%1 does not run; install %2 (scripts/setup --tests does): %3")
                                .arg(program, QLatin1String(package));
    if (path.isEmpty()) {
        m_problem = install.arg(s("it is not there"));
        return;
    }
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    if (!deflate.isEmpty())
        environment.insert(s("EVERWIRE_DEFLATE"), deflate);
    m_process.setProcessEnvironment(environment);
    m_process.setProcessChannelMode(QProcess::MergedChannels);
    QObject::connect(&m_process, &QProcess::readyRead, &m_process,
                     [this] { m_printed += m_process.readAll(); });
#ifdef Q_OS_LINUX
    // nginx and libwebsockets do not look at their standard input: no test that crashes leaves them behind.
    m_process.setChildProcessModifier([] { ::prctl(PR_SET_PDEATHSIG, SIGTERM); });
#endif
    m_process.start(path, arguments);
    const bool listens = QTest::qWaitFor(
        [&] {
            return m_process.state() == QProcess::NotRunning ||
                   (port != 0 ? answers(port)
                              : m_printed.contains("listening on") && m_printed.contains('\n'));
        },
        startTimeout);
    if (!listens || m_process.state() == QProcess::NotRunning) {
        m_printed += m_process.readAll();
        m_problem = install.arg(m_printed.isEmpty() ? m_process.errorString()
                                                    : QString::fromUtf8(m_printed.left(1000)));
        return;
    }
    if (port != 0)
        m_url = QUrl(s("ws://127.0.0.1:%1/").arg(port));
    else
        m_url = QUrl(QString::fromUtf8(m_printed.mid(m_printed.indexOf("ws://")).split('\n').first()));
}

ProcessPeer::~ProcessPeer()
{
    m_process.disconnect();
    m_process.closeWriteChannel(); // the echo servers end then
    m_process.terminate();
    if (m_process.state() != QProcess::NotRunning && !m_process.waitForFinished(10000)) {
        m_process.kill();
        m_process.waitForFinished();
    }
}

EchoPeer::EchoPeer(Language language, const QString &deflate)
{
    const QString peers = s(EVERWIRE_PEERS_DIR);
    if (language == Language::Node)
        run(s("node"), {peers + s("/echo-server.mjs")}, "nodejs, and run npm ci in tests/peers", deflate);
    else // Debian's, whatever other Python there is
        run(s("/usr/bin/python3"), {peers + s("/echo_server.py")}, "python3-websockets", deflate);
}

QStringList EchoPeer::closings()
{
    QStringList found;
    for (const QByteArray &line : m_printed.split('\n')) {
        if (line.startsWith("closed "))
            found.append(QString::fromUtf8(line.mid(7)));
    }
    return found;
}

NginxPeer::NginxPeer(const QUrl &behind)
{
    const quint16 port = freePort();
    const quint16 tlsPort = freePort();
    const QString configuration = s(R"(
daemon off;
master_process off;
pid %1/pid;
error_log stderr warn;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path %1/body;
    proxy_temp_path %1/proxy;
    fastcgi_temp_path %1/fastcgi;
    uwsgi_temp_path %1/uwsgi;
    scgi_temp_path %1/scgi;
    server {
        listen 127.0.0.1:%2;
        listen 127.0.0.1:%3 ssl;
        ssl_certificate %4/localhost.crt;
        ssl_certificate_key %4/localhost.key;
        location / {
            proxy_pass http://127.0.0.1:%5;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
            proxy_set_header Host $host;
        }
        location /down { proxy_pass http://127.0.0.1:1; }
    }
}
)")
                                      .arg(m_dir.path())
                                      .arg(port)
                                      .arg(tlsPort)
                                      .arg(s(EVERWIRE_TLS_DIR))
                                      .arg(behind.port());
    QFile file(m_dir.filePath(s("nginx.conf")));
    if (!file.open(QIODevice::WriteOnly) || file.write(configuration.toUtf8()) < 0) {
        m_problem = file.errorString();
        return;
    }
    file.close();
    run(s("nginx"), {s("-e"), s("stderr"), s("-p"), m_dir.path(), s("-c"), file.fileName()}, "nginx-light",
        {}, port);
    m_tlsUrl = QUrl(s("wss://127.0.0.1:%1/").arg(tlsPort));
}

LwsPeer::LwsPeer()
{
    const quint16 port = freePort();
    // It takes an interface's name, and listens on all of them where it is given an IPv4 address.
    QString loopback = s("lo");
    for (const QNetworkInterface &interface : QNetworkInterface::allInterfaces()) {
        if (interface.flags().testFlag(QNetworkInterface::IsLoopBack))
            loopback = interface.name();
    }
    run(s("libwebsockets-test-server"), {s("--port=%1").arg(port), s("--interface=") + loopback},
        "libwebsockets-test-server", {}, port);
}

QWebSocketPeer::QWebSocketPeer()
    : m_server(std::make_unique<QWebSocketServer>(s("echo"), QWebSocketServer::NonSecureMode))
{
    if (!m_server->listen(QHostAddress::LocalHost)) {
        m_problem = m_server->errorString();
        return;
    }
    m_url = m_server->serverUrl();
    QObject::connect(m_server.get(), &QWebSocketServer::newConnection, m_server.get(), [this] {
        QWebSocket *socket = m_server->nextPendingConnection();
        socket->setParent(m_server.get());
        QObject::connect(socket, &QWebSocket::textMessageReceived, socket, [socket](const QString &text) {
            if (text.startsWith(s("close ")))
                socket->close(QWebSocketProtocol::CloseCode(text.mid(6, 4).toInt()), text.mid(11));
            else if (text == s("drop"))
                socket->abort();
            else
                socket->sendTextMessage(text);
        });
        QObject::connect(socket, &QWebSocket::binaryMessageReceived, socket, &QWebSocket::sendBinaryMessage);
        QObject::connect(socket, &QWebSocket::disconnected, socket, [this, socket] {
            m_closings.append(s("%1 %2").arg(socket->closeCode()).arg(socket->closeReason()));
        });
    });
}

QWebSocketPeer::~QWebSocketPeer() = default;
