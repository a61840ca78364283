#include "addon/native_object.h"

#include <utility>

namespace holdfast::addon {

bool NativeObject::look() {
  const core::Status status = environment_->look_at(*this);
  if (!status.ok()) environment_->raise(status, *this);
  return status.ok();
}

napi_value Environment::adopt(NativeObject* native) {
  native->environment_ = self_.lock();
  native->place_ = natives_.add(native);
  native->open_index_ = open_.size();
  open_.push_back(native);
  napi_value external = nullptr;
  const auto finalize = [](napi_env, void* data, void*) {
    auto* collected = static_cast<NativeObject*>(data);
    // Keeps the environment alive past the deletion of a native object that was its last reference.
    const std::shared_ptr<Environment> kept = collected->environment_;
    kept->collect(collected);
  };
  if (napi_create_external(env_, native, finalize, nullptr, &external) != napi_ok) {
    collect(native);  // the thread is being terminated
  }
  return external;
}

bool Environment::may_close(const NativeObject* native) const {
  if (!native->held()) return true;
  if (native->holds() && !native->collected_) return false;
  bool has_another = false;
  each_open([&](const NativeObject& other) {
    has_another |= &other != native && other.object_ == native->object_ && !other.collected_;
  });
  return has_another;
}

void Environment::close(NativeObject* native) {
  if (native->object_ == nullptr) return;
  // The last one takes its place.
  open_[native->open_index_] = open_.back();
  open_.back()->open_index_ = native->open_index_;
  open_.pop_back();
  native->let_go();
  store().close(std::exchange(native->object_, nullptr));
}

// The garbage collector has found the External. What the agent holds must stay mapped (the
// kernel's list of robust mutexes points into it) and stay held, until the agent ends.
void Environment::collect(NativeObject* native) {
  if (native->is_open() && !may_close(native)) {
    native->collected_ = true;
    return;
  }
  close(native);
  remove(native);
}

void Environment::remove(NativeObject* native) {
  natives_.remove(native->place_);
  delete native;
}

void refuse(napi_env env, NativeObject* native, bool is_of_kind) {
  if (is_of_kind) {
    native->environment().raise(core::Code::closed, *native);
    return;
  }
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE",
                        "the first argument must be an object of the operation's kind");
}

}  // namespace holdfast::addon
