// SPDX-License-Identifier: MIT
// docs/troubleshooting.md quotes the library: each message is looked for in the string literals of src/ and qml/.
#include "page.h"

#include <QDirIterator>
#include <QFile>
#include <QRegularExpression>
#include <QTest>

using namespace Qt::StringLiterals;

namespace {

// What is between the varying parts, in order.
QStringList pieces(const QString &text)
{
    QStringList list;
    for (const QString &piece : text.split(u'…', Qt::SkipEmptyParts)) {
        if (!piece.trimmed().isEmpty())
            list.append(piece.trimmed());
    }
    return list;
}

// The literals of each statement of a C++ source: adjacent ones are one, code between two and a %1 vary.
QStringList statements(const QString &source)
{
    static const QRegularExpression token(
        uR"(//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\g1"|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)+'|\d[\d'a-fA-Fx]*|\s+|.)"_s,
        QRegularExpression::DotMatchesEverythingOption);
    static const QRegularExpression placeholder(u"%\\d"_s);
    static const QRegularExpression escape(uR"(\\(.))"_s);
    QStringList found;
    QString statement;
    bool isCodeBetween = false;
    for (auto it = token.globalMatch(source); it.hasNext();) {
        const QString part = it.next().captured();
        if (part.trimmed().isEmpty() || part.startsWith("//"_L1) || part.startsWith("/*"_L1))
            continue;
        if (part.startsWith(u'"') && part.size() > 1) {
            if (isCodeBetween)
                statement += u'…';
            // A … of the literal itself is one of the page, too.
            statement += part.mid(1, part.size() - 2).replace(escape, u"\\1"_s).replace(placeholder, u"…"_s);
            isCodeBetween = false;
        } else if (part == ";"_L1) {
            found.append(statement);
            statement.clear();
            isCodeBetween = false;
        } else {
            isCodeBetween = true;
        }
    }
    return found;
}

bool holds(const QStringList &all, const QStringList &some)
{
    return std::search(all.begin(), all.end(), some.begin(), some.end()) != all.end();
}

} // namespace

class TestTroubleshooting : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void everyMessageIsTheLibrarys_data();
    void everyMessageIsTheLibrarys();
    void aMessageThatIsNotThere_data();
    void aMessageThatIsNotThere();

private:
    [[nodiscard]] bool isTheLibrarys(const QString &message) const
    {
        const QStringList wanted = pieces(message);
        return !wanted.isEmpty() && std::any_of(m_statements.begin(), m_statements.end(),
                                                [&](const QStringList &one) { return holds(one, wanted); });
    }

    QList<QStringList> m_statements;
};

void TestTroubleshooting::initTestCase()
{
    for (const QString &folder : {u"/src"_s, u"/qml"_s}) {
        QDirIterator files(QStringLiteral(EVERWIRE_ROOT) + folder, {u"*.cpp"_s, u"*.h"_s}, QDir::Files,
                           QDirIterator::Subdirectories);
        while (files.hasNext()) {
            QFile file(files.next());
            QVERIFY(file.open(QIODevice::ReadOnly));
            for (const QString &statement : statements(QString::fromUtf8(file.readAll())))
                m_statements.append(pieces(statement));
        }
    }
    QVERIFY(m_statements.size() > 1000);
}

void TestTroubleshooting::everyMessageIsTheLibrarys_data()
{
    QTest::addColumn<QString>("message");
    const Page page(QStringLiteral(EVERWIRE_ROOT "/docs/troubleshooting.md"));
    int line = 0;
    for (const QString &text : page.lines()) {
        ++line;
        if (text.startsWith(u'>'))
            QTest::addRow("line %d", line) << text.mid(3, text.size() - 4);
    }
}

void TestTroubleshooting::everyMessageIsTheLibrarys()
{
    QFETCH(QString, message);
    QVERIFY2(isTheLibrarys(message), qPrintable(message));
}

// The test can fail.
void TestTroubleshooting::aMessageThatIsNotThere_data()
{
    QTest::addColumn<QString>("message");
    QTest::newRow("another word") << u"There is no address for \"…\". Set … in the environment, or call …"_s;
    QTest::newRow("a part of a literal") << u"the connection is not open; call"_s;
    QTest::newRow("another order") << u". Is the server running? … No connection to"_s;
    QTest::newRow("nothing") << u"…"_s;
    QTest::newRow("no literal") << u"QStringLiteral"_s;
}

void TestTroubleshooting::aMessageThatIsNotThere()
{
    QFETCH(QString, message);
    QVERIFY(!isTheLibrarys(message));
}

QTEST_GUILESS_MAIN(TestTroubleshooting)
#include "tst_troubleshooting.moc"
