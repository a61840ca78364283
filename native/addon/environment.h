// One JavaScript thread (a Node "environment") inside the addon: its agent, its doorbell on the
// event loop, its native objects, and its end.
//
// Thread affinity: everything here belongs to the JS thread that loaded the addon. Only the Store
// behind it is shared by the threads of the process, and locks for itself.
#ifndef HOLDFAST_ADDON_ENVIRONMENT_H
#define HOLDFAST_ADDON_ENVIRONMENT_H

#include <node_api.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "addon/event_loop.h"
#include "addon/natives.h"
#include "core/agents/agent.h"
#include "core/agents/told_waits.h"
#include "core/primitives/held.h"

namespace holdfast::addon {

class Environment;

// What the addon has of an open object. Lives until its External is collected, closed or not.
class NativeObject {
 public:
  NativeObject(const void* type_mark, core::Object* object)
      : type_mark_(type_mark), object_(object), kind_(object->kind()), name_(object->name()) {}
  virtual ~NativeObject() = default;

  static bool is_type_of(const NativeObject&) { return true; }
  const void* type_mark() const { return type_mark_; }

  virtual bool held() const { return false; }                 // by this agent
  virtual bool holds() const { return false; }                // and acquired it here
  virtual void list_holds(std::vector<core::Held>*) const {}  // that were acquired here
  virtual void abandon() {}                                   // after the end of the agent
  virtual void let_go() {}                                    // before it is closed
  virtual void note_hold() {}                                 // once a slice, while it is held

  core::Kind kind() const { return kind_; }
  const std::string& name() const { return name_; }
  bool is_open() const { return object_ != nullptr; }
  // May it be acquired, or waited for? If not, because its files were removed by hand, throws.
  bool check_not_removed() { return (!object_->is_removed() && !object_->look_is_due()) || look(); }
  core::Object& object() { return *object_; }
  Environment& environment() { return *environment_; }

 protected:
  friend class Environment;
  bool look();
  const void* type_mark_;  // the address of a variable that stands for the type
  std::shared_ptr<Environment> environment_;
  core::Object* object_ = nullptr;
  core::Kind kind_;  // for errors, after close() too
  std::string name_;
  uint32_t place_ = 0;      // among the natives of its thread
  size_t open_index_ = 0;   // among those that are open
  bool collected_ = false;  // its External is gone, but the agent still holds it
};

// Throws what is wrong with an object that is not of a kind, or closed.
void refuse(napi_env env, NativeObject* native, bool is_of_kind);

// Memory of JavaScript through which records go out of the thread's queues and into them.
// src/records/transfer.ts reads what a call has left before it calls anything else, and writes the
// order for a put right before the call.
struct Mailbox {
  char* inbox = nullptr;  // bytes
  size_t inbox_length = 0;
  uint32_t* table = nullptr;        // where each record's bytes are
  size_t records = 0;               // that the table has room for
  double* answer = nullptr;         // how the last call went, and its numbers
  const uint32_t* order = nullptr;  // type, start and end of the record in the outbox
  const char* outbox = "";
  size_t outbox_length = 0;
};

class Environment final : private core::Watcher, private EventLoopClient {
 public:
  static napi_value init(napi_env env, napi_value exports);
  static Environment* from(napi_env env);

  // The agent begins with the first object that the thread opens.
  core::Status ensure_agent();
  core::Agent& agent() { return *agent_; }
  bool has_agent() const { return agent_ != nullptr; }
  core::Store& store() { return agent_->store(); }
  // Does a step of the sweep. True if there is more to do.
  bool sweep_further() { return agent_ != nullptr && store().sweep_further(); }
  napi_env env() const { return env_; }
  const Mailbox& mailbox() const { return mailbox_; }
  Natives& natives() { return natives_; }

  // Makes the External that owns the native object from here on, and leaves the object's place in
  // `addon.subject`.
  napi_value adopt(NativeObject* native);
  // False: the agent holds the object, and acquired it through this native object or has no other.
  bool may_close(const NativeObject* native) const;
  void close(NativeObject* native);
  void collect(NativeObject* native);

  // Makes an error of src/errors.ts and throws it. Always returns nullptr.
  napi_value raise(const core::Status& status, core::Kind kind, const std::string& name);
  napi_value raise(const core::Status& status, const NativeObject& native) {
    return raise(status, native.kind(), native.name());
  }
  napi_value raise(core::Code code, const NativeObject& native) {
    return raise(core::Status::of(code, ""), native);
  }

  // Looks whether the object's files are still what others find under its name. The first time that
  // they are not, the process is warned.
  core::Status look_at(NativeObject& native);
  // The same for what this thread holds; to be called once a slice. Up to 16 objects are looked at
  // each time, more of them by turns. False if it holds nothing.
  bool look_at_held();
  // All that this thread holds, each hold once or more often.
  std::vector<core::Held> holds() const;
  // Of a thread that has an agent.
  core::ToldWaits& told_waits();

  // Ends the agent: from here on this thread holds nothing. Idempotent.
  void end();

 private:
  Environment() = default;
  size_t held_ = 0;  // objects, at the last look_at_held()
  static napi_value configure(napi_env env, napi_callback_info info);
  static napi_value use_mailbox(napi_env env, napi_callback_info info);
  static napi_value use_outbox(napi_env env, napi_callback_info info);
  static napi_value use_loop_waits(napi_env env, napi_callback_info info);
  static void at_process_exit();
  bool start_doorbell();
  void leave_removed_directory();
  void make_subject(napi_value exports);
  void remove(NativeObject* native);
  // Calls visit(native) for each that is open. More may be opened meanwhile. If one is closed,
  // another one may be left out.
  template <class Visit>
  void each_open(Visit visit) const {
    for (size_t i = 0; i < open_.size(); i++) visit(*open_[i]);
  }
  void warn(const std::string& message);
  void call_on_rings(const std::vector<uint64_t>& tags);
  bool watch_begins(size_t place) override { return loop_->watch(place); }
  void watch_ends(size_t place) override { loop_->unwatch(place); }
  void on_doorbell() override;
  void on_death(size_t place) override;
  void on_thread_end() override { end(); }

  napi_env env_ = nullptr;
  std::thread::id thread_;
  std::weak_ptr<Environment> self_;
  std::string directory_;
  std::string process_name_;
  uint32_t thread_id_ = 0;
  bool has_libuv_ = false;
  napi_ref on_rings_ = nullptr;
  napi_ref make_error_ = nullptr;
  napi_ref warn_ = nullptr;
  Mailbox mailbox_;
  napi_ref outbox_ = nullptr;
  const int32_t* loop_waits_ = nullptr;  // src/waiting/loop-waits.ts counts there
  bool ended_ = false;
  std::unique_ptr<core::Agent> agent_;
  std::unique_ptr<core::ToldWaits> told_waits_;  // from when it is first asked for
  std::unique_ptr<EventLoop> loop_;
  Natives natives_;
  std::vector<NativeObject*> open_;  // of them, in no order
};

}  // namespace holdfast::addon

#endif
