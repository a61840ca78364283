// An open object in C++. JavaScript has its place (natives.h), and an External whose finalizer
// closes it. Every operation is one function of the addon (docs/adr/0020-module-level-bindings.md).
#ifndef HOLDFAST_ADDON_NATIVE_OBJECT_H
#define HOLDFAST_ADDON_NATIVE_OBJECT_H

#include <algorithm>
#include <type_traits>
#include <utility>
#include <vector>

#include "addon/environment.h"
#include "core/primitives/read_write_lock.h"
#include "core/primitives/rlock.h"
#include "core/waiting/waiting.h"

namespace holdfast::addon {

// Its address stands for a kind of primitive.
template <class Primitive>
inline char kTypeMark = 0;

// Does a Primitive have holds, which its agent must release?
template <class Primitive, class = void>
struct HasHolds : std::false_type {};
template <class Primitive>
struct HasHolds<Primitive, std::void_t<decltype(std::declval<Primitive&>().is_current_hold(0))>>
    : std::true_type {};

// Does it say since when it is held (core/waiting/held_since.h)?
template <class Primitive, class = void>
struct NotesHolds : std::false_type {};
template <class Primitive>
struct NotesHolds<Primitive, std::void_t<decltype(std::declval<Primitive&>().note_hold())>>
    : std::true_type {};

template <class Primitive>
class Native : public NativeObject {
 public:
  Native(Environment& environment, core::Object* object)
      : NativeObject(&kTypeMark<Primitive>, object), primitive(environment.agent(), *object) {}

  static bool is_type_of(const NativeObject& native) {
    return native.type_mark() == &kTypeMark<Primitive>;
  }

  bool held() const override {
    if constexpr (kOwned) return primitive.is_held_by_caller();
    return false;
  }
  void abandon() override {
    if constexpr (kOwned) primitive.abandon();
  }

  void let_go() override {
    if constexpr (std::is_same_v<Primitive, core::RLock>) primitive.unlock_stray_mutex();
  }

  void note_hold() override {
    if constexpr (NotesHolds<Primitive>::value) primitive.note_hold();
  }

  // Was something that the agent holds acquired through this native object?
  bool holds() const override {
    if constexpr (kOwned) {
      for (const uint64_t hold : more_holds_) {
        if (primitive.is_current_hold(hold)) return true;
      }
      return primitive.is_current_hold(hold_);
    }
    return false;
  }
  void list_holds(std::vector<core::Held>* held) const override {
    if constexpr (kOwned) {
      const auto list = [&](uint64_t hold) {
        if (!primitive.is_current_hold(hold)) return;
        held->push_back({object_->tag(), hold, mode_of(hold)});
      };
      std::for_each(more_holds_.begin(), more_holds_.end(), list);
      list(hold_);
      if constexpr (kSharable) {
        if (primitive.has_claim()) held->push_back({object_->tag(), 0, core::HoldMode::claim});
      }
    }
  }
  void note(const core::Outcome& outcome) {
    if (!outcome) return;
    if constexpr (kOwned) {
      if constexpr (Primitive::kManyHolds) {
        if (primitive.is_current_hold(hold_)) keep(hold_);
      }
    }
    hold_ = outcome.hold;
  }

  core::Agent& agent() { return environment().agent(); }
  core::Registry& registry() { return agent().registry(); }

  Primitive primitive;

 private:
  void keep(uint64_t hold) {
    if (more_holds_.size() >= forget_at_) {
      more_holds_.erase(
          std::remove_if(more_holds_.begin(), more_holds_.end(),
                         [this](uint64_t old) { return !primitive.is_current_hold(old); }),
          more_holds_.end());
      forget_at_ = 2 * more_holds_.size() + 8;
    }
    more_holds_.push_back(hold);
  }

  static core::HoldMode mode_of(uint64_t hold) {
    if constexpr (kSharable) return Primitive::mode_of(hold);
    return core::HoldMode::exclusive;
  }

  static constexpr bool kOwned = HasHolds<Primitive>::value;
  static constexpr bool kSharable = std::is_same_v<Primitive, core::ReadWriteLock>;
  uint64_t hold_ = 0;                 // the last one
  std::vector<uint64_t> more_holds_;  // those before it that may still be held
  size_t forget_at_ = 8;
};

// The open object at that place. Throws and returns nullptr if it is of another kind, or closed.
template <class N>
N* open_native(napi_env env, NativeObject* native) {
  const bool is_of_kind = native != nullptr && N::is_type_of(*native);
  if (is_of_kind && native->is_open()) return static_cast<N*>(native);
  refuse(env, native, is_of_kind);
  return nullptr;
}

}  // namespace holdfast::addon

#endif
