// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/Connection>

#include <QWidget>

// A coloured dot for a connection's state: green, amber while it is on its way, red, grey.
class StatusDot : public QWidget
{
    Q_OBJECT

public:
    using QWidget::QWidget;

    void setState(Everwire::Connection::State state);
    [[nodiscard]] QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    Everwire::Connection::State m_state = Everwire::Connection::Disconnected;
};
