#include "core/primitives/barrier.h"

#include "addon/kinds.h"
#include "addon/waiting.h"

namespace holdfast::addon {

namespace {

using N = Native<core::Barrier>;

// Those who have arrived, and wait for the end of the round.
struct Arrived {
  using Primitive = core::Barrier;
  static core::WaitSet& set(Primitive& barrier) { return barrier.body().waiters; }
  static uint64_t tag(Primitive& barrier) { return barrier.waiters_tag(); }
  static void watch(Primitive& barrier) { barrier.watch(); }
  static bool spin_briefly(Primitive& barrier) { return barrier.spin_briefly(); }
  static void pass_on(Primitive&, core::Registry&) {}  // everybody is woken
};

// Those who come while the round before is not over.
struct Arriving {
  using Primitive = core::Barrier;
  static core::WaitSet& set(Primitive& barrier) { return barrier.body().arrivals; }
  static uint64_t tag(Primitive& barrier) { return barrier.arrivals_tag(); }
  static void watch(Primitive& barrier) { barrier.watch(); }
  static bool spin_briefly(Primitive& barrier) { return barrier.spin_briefly(); }
  static void pass_on(Primitive&, core::Registry&) {}
};

// [status, round, index]
napi_value to_array(N& native, const core::Arrival& arrival) {
  napi_env env = native.environment().env();
  napi_value list = nullptr;
  napi_create_array_with_length(env, 3, &list);
  napi_set_element(env, list, 0, number(env, static_cast<double>(arrival.status)));
  napi_set_element(env, list, 1, number(env, static_cast<double>(arrival.round)));
  napi_set_element(env, list, 2, number(env, arrival.index));
  return list;
}

napi_value arrive(N& native, bool acts) { return to_array(native, native.primitive.arrive(acts)); }

napi_value wait_to_arrive(N& native, bool acts, int64_t deadline_ns) {
  return to_array(native, native.primitive.wait_to_arrive(acts, deadline_ns));
}

core::ArrivalStatus finish(N& native, uint64_t round) {
  core::ArrivalStatus status = core::ArrivalStatus::not_yet;
  until_not_busy([&] {
    status = native.primitive.finish(round);
    return status == core::ArrivalStatus::not_yet ? core::Code::busy : core::Code::ok;
  });
  return status;
}

napi_value inspect(N& native) {
  core::Barrier& barrier = native.primitive;
  return State(native.environment().env())
      .set("parties", barrier.parties())
      .set("waiting", barrier.waiting())
      .set("broken", barrier.broken())
      .set("round", core::Round::of(barrier.body().state.load()).number)
      .set("breaks", barrier.body().breaks.load())
      .value();
}

napi_value functions(napi_env env) {
  Binder<core::Barrier> binder(env);
  binder.group("arrived", WaitSetOperations<Arrived>::bind(env));
  binder.group("arriving", WaitSetOperations<Arriving>::bind(env));
  binder.method<&core::Barrier::parties>("parties");
  binder.method<arrive, Needs::files>("arrive");
  binder.method<wait_to_arrive, Needs::files>("waitToArrive");
  binder.method<finish>("finish");
  binder.method<&core::Barrier::check_round, Needs::files>("checkRound");
  binder.method<&core::Barrier::wait, Needs::files>("wait");
  binder.method<&core::Barrier::break_round>("breakRound");
  binder.method<&core::Barrier::abort>("abort");
  binder.method<&core::Barrier::reset>("reset");
  binder.method<&core::Barrier::broken>("broken");
  binder.method<&core::Barrier::waiting>("waiting");
  binder.method<inspect>("inspect");
  return binder.value();
}

}  // namespace

const KindBinding kBarrier = {core::Kind::barrier, "Barrier", functions, make_native<N>};

}  // namespace holdfast::addon
