// SPDX-License-Identifier: MIT
#pragma once

#include "cases.h"
#include "frames.h"
#include "outcome.h"

#include <QElapsedTimer>
#include <QTcpSocket>
#include <QTimer>

#include <deque>
#include <memory>

// Plays one case to one client over one TCP connection, from the client's HTTP request on. Lives on the server's
// thread.
class Player : public QObject
{
    Q_OBJECT

public:
    // Takes the socket over.
    Player(QTcpSocket *socket, Script script);
    void start();

Q_SIGNALS:
    // Once. The player can be deleted then.
    void played(const Outcome &outcome);

private:
    enum class State {
        Handshake,
        Open,
        ClosedByServer, // we sent a Close frame first
        ClosedByClient, // it did, or it is gone
    };

    void read();
    void readRequest();
    void open(const QByteArray &key, const QByteArray &offers);
    void readFrames();
    void receive(const ClientFrame &frame);
    void receiveData(const ClientFrame &frame);
    void receiveClose(const QByteArray &payload);
    void violated(const char *what);

    void nextStep();
    void write(const QByteArray &bytes, qsizetype chop = 0);
    void writeNextPiece();
    void goOnWriting();
    void close(int code);
    void nextRound();

    void note(const Event &event);
    [[nodiscard]] bool canBecome(const std::vector<Event> &expected) const;
    void timeout();
    void finish();
    [[nodiscard]] Verdict verdict() const;
    [[nodiscard]] Ending ending() const;

    struct Piece
    {
        QByteArray bytes;
        qsizetype at = 0;
        qsizetype chop = 0;
    };

    const Script m_script;
    QTcpSocket *m_socket;
    State m_state = State::Handshake;
    QByteArray m_request;
    FrameReader m_frames;
    std::unique_ptr<Deflate> m_deflate;
    std::deque<Piece> m_pieces; // not written yet

    size_t m_step = 0;
    size_t m_awaited = 0; // events that have to be there before the next step; 0: none
    QTimer m_silence;     // of Step::AwaitEnd
    QTimer m_limit;
    int m_rounds = 0; // that came back
    qsizetype m_sourceAt = 0;
    QByteArray m_sent; // the last round's message
    std::vector<Event> m_events;

    std::optional<ClientFrame> m_message; // the fragments so far
    bool m_noCompression = false;         // asked for and not offered
    bool m_failed = false;
    bool m_clean = false; // both Close frames were sent
    bool m_finished = false;
    int m_closeCode = 0;
    std::string m_why;
    QElapsedTimer m_time;
};
