#include "core/primitives/barrier.h"

#include "addon/handle.h"

namespace holdfast::addon {

namespace {

using H = Handle<core::Barrier>;

struct Passage {
  using Primitive = core::Barrier;
  static core::WaitSet& set(Primitive& barrier) { return barrier.body().waiters; }
  static uint64_t tag(Primitive& barrier) { return barrier.waiters_tag(); }
  static void watch(Primitive& barrier) { barrier.watch(); }
  static bool soon(Primitive& barrier) { return barrier.spin_briefly(); }
  static void pass_on(Primitive&, core::Registry&) {}  // everybody is woken
};

struct Opening {
  using Primitive = core::Barrier;
  static core::WaitSet& set(Primitive& barrier) { return barrier.body().arrivals; }
  static uint64_t tag(Primitive& barrier) { return barrier.arrivals_tag(); }
  static void watch(Primitive& barrier) { barrier.watch(); }
  static bool soon(Primitive& barrier) { return barrier.spin_briefly(); }
  static void pass_on(Primitive&, core::Registry&) {}
};

uint64_t round_of(const double* argument) { return static_cast<uint64_t>(argument[0]); }

// [status, round, index]
napi_value to_js(napi_env env, const core::Arrival& arrival) {
  napi_value list = nullptr;
  napi_create_array_with_length(env, 3, &list);
  napi_set_element(env, list, 0, number(env, static_cast<double>(arrival.status)));
  napi_set_element(env, list, 1, number(env, static_cast<double>(arrival.round)));
  napi_set_element(env, list, 2, number(env, arrival.index));
  return list;
}

// arrive(acts)
napi_value arrive(napi_env env, H& handle, const double* argument) {
  return to_js(env, handle.primitive.arrive(argument[0] != 0));
}

// waitToArrive(acts, ms)
napi_value wait_to_arrive(napi_env env, H& handle, const double* argument) {
  return to_js(env, handle.primitive.wait_to_arrive(argument[0] != 0, slice_of(argument[1])));
}

napi_value finish(napi_env env, H& handle, const double* argument) {
  core::ArrivalStatus status = core::ArrivalStatus::not_yet;
  until_not_busy(handle, handle.environment(), [&] {
    status = handle.primitive.finish(round_of(argument));
    return status == core::ArrivalStatus::not_yet ? core::Code::busy : core::Code::ok;
  });
  return number(env, static_cast<double>(status));
}

napi_value look(napi_env env, H& handle, const double* argument) {
  return number(env, static_cast<double>(handle.primitive.check_round(round_of(argument))));
}

// wait(round, ms)
napi_value wait(napi_env env, H& handle, const double* argument) {
  return number(
      env, static_cast<double>(handle.primitive.wait(round_of(argument), slice_of(argument[1]))));
}

napi_value break_round(napi_env, H& handle, const double* argument) {
  return until_not_busy(handle, handle.environment(),
                        [&] { return handle.primitive.break_round(round_of(argument)); });
}

napi_value abort(napi_env, H& handle, const double*) {
  return until_not_busy(handle, handle.environment(), [&] { return handle.primitive.abort(); });
}

napi_value reset(napi_env, H& handle, const double*) {
  return until_not_busy(handle, handle.environment(), [&] { return handle.primitive.reset(); });
}

napi_value broken(napi_env env, H& handle, const double*) {
  return boolean(env, handle.primitive.broken());
}

napi_value waiting(napi_env env, H& handle, const double*) {
  return number(env, handle.primitive.waiting());
}

napi_value inspect(napi_env env, H& handle, const double*) {
  core::Barrier& barrier = handle.primitive;
  const core::Round round = core::Round::of(barrier.body().state.load());
  napi_value state = nullptr;
  napi_create_object(env, &state);
  set(env, state, "parties", barrier.parties());
  set(env, state, "waiting", barrier.waiting());
  set(env, state, "broken", boolean(env, barrier.broken()));
  set(env, state, "round", static_cast<double>(round.number));
  set(env, state, "breaks", static_cast<double>(barrier.body().breaks.load()));
  return state;
}

}  // namespace

napi_value bind_barrier(Environment& environment, core::Object* object) {
  Binder<core::Barrier> binder(environment, object);
  set(environment.env(), binder.value(), "parties", binder.handle().primitive.parties());
  binder.add_source<Passage>("passage");
  binder.add_source<Opening>("opening");
  binder.add<arrive, 1>("arrive");
  binder.add<wait_to_arrive, 2>("waitToArrive");
  binder.add<finish, 1>("finish");
  binder.add<look, 1>("look");
  binder.add<wait, 2>("wait");
  binder.add<break_round, 1>("breakRound");
  binder.add<abort>("abort");
  binder.add<reset>("reset");
  binder.add<broken>("broken");
  binder.add<waiting>("waiting");
  binder.add<inspect>("inspect");
  return binder.value();
}

}  // namespace holdfast::addon
