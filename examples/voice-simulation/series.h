// SPDX-License-Identifier: MIT
#pragma once

#include <QColor>
#include <QQuickPaintedItem>

// A row of numbers as a picture: a line over time, or the bars of a voice.
//
//     Series { values: roundTrip.samples; color: Theme.accent }
//     Series { values: turn.levels; style: Series.Voice; color: Theme.accent }
class Series : public QQuickPaintedItem
{
    Q_OBJECT
    QML_ELEMENT
    Q_PROPERTY(QList<qreal> values READ values WRITE setValues NOTIFY valuesChanged FINAL)
    Q_PROPERTY(Style style READ style WRITE setStyle NOTIFY styleChanged FINAL)
    Q_PROPERTY(QColor color READ color WRITE setColor NOTIFY colorChanged FINAL)

public:
    enum Style {
        Line,  // from 0 to the largest value, the newest at the right
        Voice, // loudness from 0 to 1, mirrored at the middle
    };
    Q_ENUM(Style)

    explicit Series(QQuickItem *parent = nullptr);

    [[nodiscard]] QList<qreal> values() const { return m_values; }
    void setValues(const QList<qreal> &values);
    [[nodiscard]] Style style() const { return m_style; }
    void setStyle(Style style);
    [[nodiscard]] QColor color() const { return m_color; }
    void setColor(const QColor &color);

    void paint(QPainter *painter) override;

Q_SIGNALS:
    void valuesChanged();
    void styleChanged();
    void colorChanged();

private:
    void paintLine(QPainter *painter) const;
    void paintVoice(QPainter *painter) const;

    QList<qreal> m_values;
    QColor m_color = Qt::black;
    Style m_style = Line;
};
