// SPDX-License-Identifier: MIT
#pragma once

#include <QColor>
#include <QQuickPaintedItem>

// A line drawing in the text's colour, sharp at every size. Drawn here, because a Qt without its SVG module
// should show it, too.
//
//     Glyph { name: Glyph.Microphone; color: Theme.text }
class Glyph : public QQuickPaintedItem
{
    Q_OBJECT
    QML_ELEMENT
    Q_PROPERTY(Name name READ name WRITE setName NOTIFY nameChanged FINAL)
    Q_PROPERTY(QColor color READ color WRITE setColor NOTIFY colorChanged FINAL)

public:
    enum Name {
        None,
        Bell,
        Microphone,
        Stop,
        Play,
        Wave,
        Retry,
        Cut,
        Sun,
        Moon,
        Back,
        Check,
        Close,
        Coach,
        Warning,
        Chevron
    };
    Q_ENUM(Name)

    explicit Glyph(QQuickItem *parent = nullptr);

    [[nodiscard]] Name name() const { return m_name; }
    void setName(Name name);
    [[nodiscard]] QColor color() const { return m_color; }
    void setColor(const QColor &color);

    void paint(QPainter *painter) override;
    // In a rectangle with its top left at 0, 0; for what is no item, too.
    static void draw(QPainter &painter, Name name, const QColor &color, qreal side);

Q_SIGNALS:
    void nameChanged();
    void colorChanged();

private:
    Name m_name = None;
    QColor m_color = Qt::black;
};
