// SPDX-License-Identifier: MIT
#pragma once

#include "core/logging.h"

#include <exception>
#include <type_traits>
#include <utility>

namespace Everwire {

// The description of the exception being handled. Call it in a catch block.
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

// Runs code of the app where no caller could catch an exception: in a destructor, or in a thread of
// the library. An exception is logged with *place* (rule M6). Returns whether there was none.
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

// Runs several steps of which each may run code of the app. All of them run, even if one throws.
// finish() rethrows the first exception.
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

// Changes the rows of a model, even if a slot throws. If a slot throws, Qt's begin…Rows() is
// incomplete, and end…Rows() must not be called. The views then get a model reset instead. model: a
// QPointer, because a slot may delete it. reset(true) begins the reset, reset(false) ends it.
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
