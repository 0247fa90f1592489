// SPDX-License-Identifier: MIT
#pragma once

#include "answer.h"

#include <QByteArray>
#include <QMetaType>
#include <QString>
#include <QUrl>

#include <memory>

namespace Bench {

// What a measurement hears of the app.
class AppListener
{
public:
    virtual void answered(const Answer &answer) = 0;
    // The same from who reads no field of it.
    virtual void answeredUnread() = 0;
    virtual void binaryReceived(const QByteArray &) {}
    // The load server's marks.
    virtual void begun() {}
    virtual void over() {}
    virtual void ended(const QString &why) = 0;

protected:
    ~AppListener() = default;
};

// A program that receives events, as somebody writes it with one of the libraries: all of the way from the socket to
// a handler for its type.
class App
{
public:
    App() = default;
    virtual ~App() = default;
    Q_DISABLE_COPY_MOVE(App)

    virtual void open(const QUrl &url) = 0;
    void setListener(AppListener *listener) { m_listener = listener; }

protected:
    [[nodiscard]] AppListener *listener() const { return m_listener; }

private:
    AppListener *m_listener = nullptr;
};

// By its name in a case; nullptr where there is none of that name.
std::unique_ptr<App> makeApp(const QString &name);

// Names of contenders.
inline constexpr char QmlWs[] = "qml-ws"; // QML's WebSocket, JSON.parse, a ListModel of a hundred rows
inline constexpr char ListAlone[] = "ListView alone"; // its rows are changed, and nothing comes from anywhere
inline constexpr char QWebSocketOnly[] = "QWebSocket";                 // counts, and reads nothing
inline constexpr char QWebSocketThreaded[] = "QWebSocket in a thread"; // and the app in another
inline constexpr char QwsJson[] = "qws-json";           // QWebSocket, QJsonDocument, a hash of handlers
inline constexpr char Library[] = "Everwire";           // typed subscriber, our own transport
inline constexpr char LibraryQws[] = "Everwire on QWS"; // the same on QWebSocket
inline constexpr char LibraryUnread[] =
    "Everwire unread"; // the subscriber takes the Message, and reads nothing

} // namespace Bench
