// SPDX-License-Identifier: MIT
//
// docs/troubleshooting.md quotes the library: each message must be in its sources.
#include <QDirIterator>
#include <QFile>
#include <QRegularExpression>
#include <QTest>

using namespace Qt::StringLiterals;

namespace {

QString read(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
}

// As the page has it: "…" for what varies, and no escapes.
QString normal(QString text)
{
    static const QRegularExpression placeholder(u"%\\d+"_s);
    return text.replace(placeholder, u"…"_s).replace(u"\\\""_s, u"\""_s);
}

// All string literals, adjacent ones joined.
QString literals()
{
    static const QRegularExpression adjacent(u"\"\\s*\""_s);
    QString all;
    for (const QString &folder : {u"/src"_s, u"/qml"_s}) {
        QDirIterator files(QStringLiteral(EVERWIRE_SOURCE_DIR) + folder, {u"*.cpp"_s, u"*.h"_s}, QDir::Files,
                           QDirIterator::Subdirectories);
        while (files.hasNext())
            all += read(files.next());
    }
    // An escaped quote is no end of a literal.
    all.replace(u"\\\""_s, u"\x01"_s).replace(adjacent, QString()).replace(u"\x01"_s, u"\""_s);
    return normal(all);
}

} // namespace

class TestTroubleshooting : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyMessageIsTheLibrarys();
};

void TestTroubleshooting::everyMessageIsTheLibrarys()
{
    const QString page = read(QStringLiteral(EVERWIRE_SOURCE_DIR "/docs/troubleshooting.md"));
    const QString sources = literals();
    QVERIFY(!sources.isEmpty());
    int messages = 0;
    QStringList unknown;
    for (const QString &line : page.split(u'\n')) {
        if (!line.startsWith(u'`') || !line.endsWith(u'`'))
            continue;
        ++messages;
        const QString message = line.mid(1, line.size() - 2);
        if (!sources.contains(message))
            unknown.append(message);
    }
    QVERIFY(messages > 30);
    QVERIFY2(unknown.isEmpty(), qPrintable(unknown.join(u'\n')));
}

QTEST_GUILESS_MAIN(TestTroubleshooting)
#include "tst_troubleshooting.moc"
