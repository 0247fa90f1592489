// SPDX-License-Identifier: MIT
#pragma once

#include "core/logging.h"

#include <exception>
#include <type_traits>
#include <utility>

namespace Everwire {

// What an exception says of itself. Call it in a catch block.
[[nodiscard]] inline QString whatWasThrown()
{
    try {
        throw;
    } catch (const std::exception &error) {
        return QString::fromUtf8(error.what());
    } catch (...) {
        return QStringLiteral("something that is no std::exception");
    }
}

// Runs the app's code if nobody is there to catch what it throws: in a destructor, or in a thread of the
// library's. An exception is logged with its place (rule M6). Returns whether there was none.
template<typename Function>
bool containExceptions(const QString &place, Function &&function)
{
    try {
        std::forward<Function>(function)();
        return true;
    } catch (...) {
        qCWarning(lcConnection).noquote() << place << "threw:" << whatWasThrown();
        return false;
    }
}

// Several steps, each of which may run the app's code, and all of which must happen although one throws. The
// first exception is thrown on when all are done.
//
//     AllSteps steps;
//     steps.run([&] { Q_EMIT closed(); });
//     steps.run([&] { forgetUser(); });
//     steps.finish();
class AllSteps
{
public:
    template<typename Function>
    void run(Function &&function)
    {
        try {
            std::forward<Function>(function)();
        } catch (...) {
            if (!m_first)
                m_first = std::current_exception();
        }
    }
    void finish()
    {
        if (m_first)
            std::rethrow_exception(std::exchange(m_first, nullptr));
    }
    [[nodiscard]] bool hasFailed() const { return m_first != nullptr; }

private:
    std::exception_ptr m_first;
};

// Changes the rows of a model although a slot throws. Qt's begin…Rows() is incomplete if it throws, and then
// end…Rows() must not be called: the views are told by a reset instead. model: a QPointer, for a slot may delete
// it. reset(true) begins the reset, reset(false) ends it.
template<typename Model, typename Begin, typename Change, typename End, typename Reset>
void changeRows(const Model &model, Begin &&begin, Change &&change, End &&end, Reset &&reset)
{
    AllSteps steps;
    steps.run(begin);
    const bool isReset = steps.hasFailed();
    if (model && isReset)
        steps.run([&] { reset(true); });
    if (model)
        change();
    if (model)
        steps.run([&] { isReset ? reset(false) : end(); });
    steps.finish();
}

} // namespace Everwire
