// Operations of what can be waited for and acquired.
#ifndef HOLDFAST_ADDON_WAITING_H
#define HOLDFAST_ADDON_WAITING_H

#include "addon/operation.h"

namespace holdfast::addon {

// The one wait set of an object that has only one.
template <class P>
struct Waiters {
  using Primitive = P;
  static core::WaitSet& set(P& primitive) { return primitive.waiters(); }
  static uint64_t tag(P& primitive) { return primitive.tag(); }
  static void watch(P& primitive) { primitive.watch(); }
  static bool spin_briefly(P& primitive) { return primitive.spin_briefly(); }
  static void pass_on(P& primitive, core::Registry& registry) {
    core::wake_one(primitive.waiters(), registry, primitive.tag());
  }
  // To those who gave way to this agent.
  static void leave_it_to_others(P& primitive) { primitive.pass_on(); }
};

// The operations of one wait set. Each is one line of WaitSetOperations in
// src/native/bindings.ts. `Waitable` says which wait set of the object it is.
template <class Waitable>
struct WaitSetOperations {
  using Primitive = typename Waitable::Primitive;
  using N = Native<Primitive>;

  static uint64_t tag(N& native) { return Waitable::tag(native.primitive); }
  // Index -1 for a first time: see core/registry/wait_set.h.
  static int enrol(N& native, int index, uint32_t waiting) {
    core::Agent& agent = native.agent();
    index = core::enrol_again(Waitable::set(native.primitive), agent.registry(), agent.id(),
                              waiting, index);
    Waitable::watch(native.primitive);
    return index;
  }
  // False if a wake-up is on its way to this agent.
  static bool cancel(N& native, int index) {
    return core::cancel(Waitable::set(native.primitive), native.agent().id(), index);
  }
  // Has it come, or does it within a few microseconds?
  static bool spin_briefly(N& native) { return Waitable::spin_briefly(native.primitive); }
  static void pass_on(N& native) { Waitable::pass_on(native.primitive, native.registry()); }

  static Binder<Primitive> bind(napi_env env) {
    Binder<Primitive> binder(env);
    binder.template method<tag>("tag");
    binder.template method<enrol>("enrol");
    binder.template method<cancel>("cancel");
    binder.template method<spin_briefly>("spinBriefly");
    binder.template method<pass_on>("passOn");
    return binder;
  }
};

// The same of a wait set whose agents give way to each other (core/waiting/giving_way.h). Two more
// lines of WaitSetOperations in src/native/bindings.ts.
template <class Waitable>
struct GivingWayOperations {
  using Primitive = typename Waitable::Primitive;
  using N = Native<Primitive>;

  static void announce(N& native, uint64_t waited_ms) {
    core::Agent& agent = native.agent();
    core::announce_overdue(Waitable::set(native.primitive), agent.registry(), agent.id(),
                           waited_ms);
    native.note_hold();
  }
  static void withdraw(N& native) {
    if (core::end_overdue(Waitable::set(native.primitive), native.agent().id())) {
      Waitable::leave_it_to_others(native.primitive);
    }
  }

  static Binder<Primitive> bind(napi_env env) {
    Binder<Primitive> binder = WaitSetOperations<Waitable>::bind(env);
    binder.template method<announce>("announce");
    binder.template method<withdraw>("withdraw");
    return binder;
  }
};

// The same of a wait set whose agents may doze (core/registry/dozing.h). One more line.
template <class Waitable>
struct DozingOperations {
  using Primitive = typename Waitable::Primitive;

  static bool may_doze(Native<Primitive>& native, int index) {
    return native.primitive.may_doze(index);
  }

  static Binder<Primitive> bind(napi_env env) {
    Binder<Primitive> binder = GivingWayOperations<Waitable>::bind(env);
    binder.template method<may_doze>("mayDoze");
    return binder;
  }
};

template <class Primitive>
void contend(Native<Primitive>& native) {
  native.primitive.body().contentions.fetch_add(1, std::memory_order_relaxed);
}

// Blocks at most until the deadline. True if it is free: somebody could acquire it now.
template <class Waitable>
bool wait_until_free(Native<typename Waitable::Primitive>& native, int64_t deadline_ns) {
  auto& primitive = native.primitive;
  return core::wait_at_doorbell(
      native.agent(), Waitable::set(primitive), Waitable::tag(primitive), deadline_ns,
      [&] { return primitive.is_free(); }, [&] { Waitable::watch(primitive); });
}

// Each is one line of FreeOperations in src/native/bindings.ts.
template <class Waitable>
void bind_free(Binder<typename Waitable::Primitive>& binder) {
  using Primitive = typename Waitable::Primitive;
  binder.template method<&Primitive::is_free, Needs::files>("isFree");
  binder.template method<wait_until_free<Waitable>, Needs::files>("waitUntilFree");
}

// Each is one line of AcquirableOperations in src/native/bindings.ts.
template <class Primitive, template <class> class Waits = GivingWayOperations>
void bind_acquirable(Binder<Primitive>& binder) {
  binder.template method<&Primitive::try_acquire_or_rescue, Needs::files>("tryAcquireOrRescue");
  binder.template method<&Primitive::try_acquire, Needs::files>("tryAcquire");
  binder.template method<&Primitive::wait, Needs::files>("wait");
  binder.template method<contend<Primitive>>("contend");
  bind_free<Waiters<Primitive>>(binder);
  binder.group("waiters", Waits<Waiters<Primitive>>::bind(binder.env()));
}

}  // namespace holdfast::addon

#endif
