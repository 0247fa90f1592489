// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Connection>
#include <Everwire/TurnModel>

#include <QJsonObject>
#include <QObject>
#include <QPointer>

namespace Everwire {

class HttpPreparation;
class WebSocketProvider;

// A voice conversation with a simulated partner over the connection "simulation": audio up, turns down. What
// useSimulationWebSocket is for the web client.
//
//     SimulationSession session;
//     session.setScenario("objection-handling");
//     session.start();
//     session.sendAudioChunk(pcm); // again and again, while the user speaks
//     session.completeTurn();      // the answer comes as turns() and aiResponse()
//
// A new scenario, role or session id counts from the next start(). Belongs to its provider's thread.
class EVERWIRE_EXPORT SimulationSession : public QObject
{
    Q_OBJECT
    Q_PROPERTY(Everwire::Connection *connection READ connection CONSTANT FINAL)
    // Fills {session_id} in the URL. Where it is empty start() has it made by sessionsUrl, else makes one up.
    Q_PROPERTY(QString sessionId READ sessionId WRITE setSessionId NOTIFY sessionIdChanged FINAL)
    // Fill {scenario} and {role} in the URL.
    Q_PROPERTY(QString scenario READ scenario WRITE setScenario NOTIFY scenarioChanged FINAL)
    Q_PROPERTY(QString role READ role WRITE setRole NOTIFY roleChanged FINAL)
    // Where a session is made before the socket is opened: start() POSTs sessionRequest there, and the answer's
    // session_id is the session's. Empty, the default: nowhere.
    Q_PROPERTY(QString sessionsUrl READ sessionsUrl WRITE setSessionsUrl NOTIFY sessionsUrlChanged FINAL)
    // What is POSTed: simulation_type, which is the scenario where this does not say, scenario_prompt, product_id …
    Q_PROPERTY(QJsonObject sessionRequest READ sessionRequest WRITE setSessionRequest NOTIFY
                   sessionRequestChanged FINAL)
    // start() by itself, at the next turn of the event loop.
    Q_PROPERTY(bool autoConnect READ autoConnect WRITE setAutoConnect NOTIFY autoConnectChanged FINAL)
    // The conversation.
    Q_PROPERTY(Everwire::TurnModel *turns READ turns CONSTANT FINAL)
    // What went wrong, empty if nothing did: the connection's error, if there is one. Otherwise the
    // server's complaint or the loss of a part of the user's turn, until the next turn begins.
    Q_PROPERTY(QString error READ error NOTIFY errorChanged FINAL)
    // The server's last status: "listening", "processing", "speaking" …
    Q_PROPERTY(QString status READ status NOTIFY statusChanged FINAL)
    // Loudness of the last chunk, 0 to 1 (the root mean square of 16-bit samples); 0 between turns.
    Q_PROPERTY(qreal audioLevel READ audioLevel NOTIFY audioLevelChanged FINAL)
    // How a chunk travels.
    Q_PROPERTY(AudioFormat audioFormat READ audioFormat WRITE setAudioFormat NOTIFY audioFormatChanged FINAL)

public:
    enum AudioFormat {
        BinaryFrame, // form A: a header and one binary message, never separated
        Base64,      // form B: in the JSON message, for servers that refuse binary messages
    };
    Q_ENUM(AudioFormat)

    explicit SimulationSession(QObject *parent = nullptr);
    // provider: nullptr for WebSocketProvider::instance().
    explicit SimulationSession(WebSocketProvider *provider, QObject *parent = nullptr);
    ~SimulationSession() override;

    [[nodiscard]] Connection *connection() const;
    [[nodiscard]] QString sessionId() const { return m_sessionId; }
    void setSessionId(const QString &sessionId);
    [[nodiscard]] QString scenario() const { return m_scenario; }
    void setScenario(const QString &scenario);
    [[nodiscard]] QString role() const { return m_role; }
    void setRole(const QString &role);
    [[nodiscard]] QString sessionsUrl() const;
    void setSessionsUrl(const QString &url);
    [[nodiscard]] QJsonObject sessionRequest() const { return m_sessionRequest; }
    void setSessionRequest(const QJsonObject &request);
    [[nodiscard]] bool autoConnect() const { return m_autoConnect; }
    void setAutoConnect(bool autoConnect);
    [[nodiscard]] TurnModel *turns() const { return m_turns; }
    [[nodiscard]] QString error() const { return m_error; }
    [[nodiscard]] QString status() const { return m_status; }
    [[nodiscard]] qreal audioLevel() const { return m_audioLevel; }
    [[nodiscard]] AudioFormat audioFormat() const { return m_audioFormat; }
    void setAudioFormat(AudioFormat format);

    // Opens the connection for this session and clears an ended conversation's turns. Where it is started with the
    // same scenario, role and session id already, it goes on as it is; with others the connection is reopened.
    Q_INVOKABLE void start();
    // Closes what start() opened, unless another session on the same connection still runs. Also done when the
    // session is destroyed.
    Q_INVOKABLE void stop();
    // Sends the next piece of the user's turn, at most maxMessageSize bytes: 16-bit little-endian
    // mono PCM at 16 kHz, or a WAV stream cut anywhere. Returns false if the connection did not
    // accept it. The chunk can then be sent again. Without a connection, up to a minute of speech
    // is queued, within maxQueuedBytes (rule Q3). If a chunk does not fit and another one is sent
    // after it, the chunk numbers show the gap. Until the next turn begins, error then says that a
    // part was lost.
    Q_INVOKABLE bool sendAudioChunk(const QByteArray &chunk);
    // Ends the user's turn after all of its chunks. There is always room for this. Returns false if
    // the connection is not open.
    Q_INVOKABLE bool completeTurn();

Q_SIGNALS:
    // A part of an answer; the parts up to isFinal make up one turn. message is all that the server sent.
    void aiResponse(const QString &content, bool isFinal, const QJsonObject &message);
    void audioProcessed(int turnNumber, const QString &audioUrl, const QString &status);

    void sessionIdChanged();
    void scenarioChanged();
    void roleChanged();
    void sessionsUrlChanged();
    void sessionRequestChanged();
    void autoConnectChanged();
    void errorChanged();
    void statusChanged();
    void audioLevelChanged();
    void audioFormatChanged();

private:
    void subscribe();
    [[nodiscard]] QVariantMap options() const;
    // Whether start() has the session made by sessionsUrl.
    [[nodiscard]] bool makesSession() const;
    void applyPreparation();
    void takeSessionId();
    void leave();
    void forget();
    void onAiResponse(const QJsonObject &message);
    void onTranscript(const QJsonObject &message);
    void onStatus(const QJsonObject &message);
    void onError(const QJsonObject &message);
    void onAudioProcessed(const QJsonObject &message);
    void onDiscarded(const QString &reason);
    void beginTurn();
    void endTurns();
    void chunkRefused(const QByteArray &chunk);
    void passOverRefused();
    [[nodiscard]] bool isForLackOfRoom(const QByteArray &chunk) const;
    void loseOfTurn(const QString &reason);
    void setTurnError(const QString &error);
    void showError();
    void setStatus(const QString &status);
    void setAudioLevel(qreal level);
    [[nodiscard]] bool sendBinaryFrame(const QByteArray &chunk);
    [[nodiscard]] bool sendBase64(const QByteArray &chunk);

    QPointer<Connection> m_connection;
    TurnModel *m_turns;
    HttpPreparation *m_preparation; // makes the session
    QJsonObject m_sessionRequest;
    QString m_madeSessionId; // by it
    QString m_sessionId;
    QString m_scenario;
    QString m_role;
    QString m_error;
    QString m_turnError;       // until the next turn begins
    QString m_refusal;         // why the connection last refused a message
    QByteArray m_refusedChunk; // refused for lack of room, may be sent again
    QString m_status;
    qreal m_audioLevel = 0;
    AudioFormat m_audioFormat = BinaryFrame;
    int m_sequence = 0;      // number of the turn's last chunk, from 1
    bool m_hasBegun = false; // a chunk of the turn was accepted
    bool m_isHurt = false;   // a part of the turn was lost, and m_turnError says so
    bool m_awaitsAnswer = false;
    bool m_autoConnect = false;
    bool m_started = false;
    bool m_opened = false; // the connection was closed before a session started: it is theirs to close
};

} // namespace Everwire
