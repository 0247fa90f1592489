// SPDX-License-Identifier: MIT
#pragma once

#include <Everwire/ConnectionError>
#include <Everwire/Message>
#include <Everwire/SessionInfo>
#include <Everwire/Wanted>

#include <QMetaObject>

#include <functional>
#include <memory>
#include <type_traits>

// Turns what an app passes to Connection::subscribe() into one kind of function. Not for direct use.
namespace Everwire::Detail {

// Writes each property of the gadget that the object has, by name, converted as QVariant converts.
EVERWIRE_EXPORT void fillGadget(const QMetaObject &type, void *gadget, const QJsonObject &object);

template<typename Gadget>
[[nodiscard]] Gadget toGadget(const Message &message)
{
    Gadget gadget{};
    fillGadget(Gadget::staticMetaObject, &gadget, message.json());
    return gadget;
}

// The library's own, which have no properties to write: what "connected" and "error" are about.
template<>
[[nodiscard]] EVERWIRE_EXPORT SessionInfo toGadget(const Message &message);
template<>
[[nodiscard]] EVERWIRE_EXPORT ConnectionError toGadget(const Message &message);

template<typename T, typename = void>
struct IsGadget : std::false_type
{
};
template<typename T>
struct IsGadget<T, std::void_t<decltype(T::staticMetaObject)>> : std::true_type
{
};

// The type of a callable's only argument, without const and reference; void where it takes none.
template<typename T>
struct FirstArgument : FirstArgument<decltype(&T::operator())>
{
};
template<typename R, typename... A>
struct FirstArgument<R (*)(A...)>
{
    static_assert(sizeof...(A) <= 1, "an event handler takes one argument or none");
    using type = void;
};
template<typename R, typename A>
struct FirstArgument<R (*)(A)>
{
    using type = std::decay_t<A>;
};
template<typename R, typename... A>
struct FirstArgument<R (*)(A...) noexcept> : FirstArgument<R (*)(A...)>
{
};
template<typename R, typename C, typename... A>
struct FirstArgument<R (C::*)(A...)> : FirstArgument<R (*)(A...)>
{
};
template<typename R, typename C, typename... A>
struct FirstArgument<R (C::*)(A...) const> : FirstArgument<R (*)(A...)>
{
};
template<typename R, typename C, typename... A>
struct FirstArgument<R (C::*)(A...) noexcept> : FirstArgument<R (*)(A...)>
{
};
template<typename R, typename C, typename... A>
struct FirstArgument<R (C::*)(A...) const noexcept> : FirstArgument<R (*)(A...)>
{
};

// Payload: what the handler takes; "void" means that its own argument says it.
template<typename Payload, typename Handler>
using TakenBy = typename std::conditional_t<std::is_void_v<Payload>, FirstArgument<Handler>,
                                            std::common_type<Payload>>::type;

template<typename Taken>
[[nodiscard]] Wanted wantedAs()
{
    Wanted wanted;
    if constexpr (std::is_same_v<Taken, QJsonObject> || std::is_same_v<Taken, QVariant>) {
        wanted.form = Wanted::Json;
    } else if constexpr (IsGadget<Taken>::value && !std::is_same_v<Taken, Message> &&
                         !std::is_same_v<Taken, SessionInfo> && !std::is_same_v<Taken, ConnectionError>) {
        wanted.form = Wanted::Gadget;
        wanted.gadget = &Taken::staticMetaObject;
        wanted.makeGadget = [] { return std::shared_ptr<void>(std::make_shared<Taken>()); };
        wanted.resetGadget = [](void *gadget) {
            if constexpr (std::is_move_assignable_v<Taken>)
                *static_cast<Taken *>(gadget) = Taken{};
            return std::is_move_assignable_v<Taken>;
        };
    }
    return wanted;
}

template<typename Payload, typename Call>
void callWith(const Message &message, Call &&call)
{
    if constexpr (std::is_void_v<Payload>)
        call();
    else if constexpr (std::is_same_v<Payload, Message>)
        call(message);
    else if constexpr (std::is_same_v<Payload, QJsonObject>)
        call(message.json());
    else if constexpr (std::is_same_v<Payload, QVariant>)
        call(message.payload());
    else if constexpr (IsGadget<Payload>::value) {
        if (const void *ready = message.decodedAs(&Payload::staticMetaObject)) {
            const auto &payload = *static_cast<const Payload *>(ready);
            if constexpr (std::is_invocable_v<Call, const Payload &>)
                call(payload);
            else
                call(Payload(payload)); // it takes one to change
        } else
            call(toGadget<Payload>(message));
    } else // a scalar: "stateChange" has a QString, "maxReconnectAttemptsReached" an int
        call(message.payload().value<Payload>());
}

template<typename Payload, typename Context, typename Handler>
[[nodiscard]] std::function<void(const Message &)> toHandler(Context *context, Handler &&handler)
{
    using H = std::decay_t<Handler>;
    using Taken = TakenBy<Payload, H>;
    if constexpr (std::is_member_function_pointer_v<H>) {
        return [context, handler](const Message &message) {
            callWith<Taken>(
                message, [&](auto &&...payload) -> decltype(void(std::invoke(handler, context, payload...))) {
                    std::invoke(handler, context, payload...);
                });
        };
    } else {
        return [handler = H(std::forward<Handler>(handler))](const Message &message) mutable {
            callWith<Taken>(message, [&](auto &&...payload) -> decltype(void(handler(payload...))) {
                handler(payload...);
            });
        };
    }
}

} // namespace Everwire::Detail
