#include "core/locks/lock_manager.h"

#include <string>
#include <unordered_map>
#include <vector>

#include "addon/kinds.h"

namespace holdfast::addon {

namespace {

using core::RequestAnswer;
using core::RequestStatus;

// What there is to say of a request goes into the thread's mailbox.
class N final : public Native<core::LockManager> {
 public:
  N(Environment& environment, core::Object* object)
      : Native(environment, object), mailbox(environment.mailbox()) {}

  const Mailbox& mailbox;
};

core::LockName name_from(napi_env env, napi_value value) {
  char16_t small[128];
  constexpr size_t kRoom = sizeof(small) / sizeof(char16_t);
  size_t length = 0;
  napi_get_value_string_utf16(env, value, small, kRoom, &length);
  if (length + 1 < kRoom) return {small, length};
  // It may go on.
  napi_get_value_string_utf16(env, value, nullptr, 0, &length);
  std::u16string text(length + 1, u'\0');
  napi_get_value_string_utf16(env, value, text.data(), length + 1, &length);
  return {text.data(), length};
}

napi_value text_of(napi_env env, const core::LockName& name) {
  napi_value result = nullptr;
  if (name.is_latin1) {
    napi_create_string_latin1(env, name.bytes.data(), name.bytes.size(), &result);
    return result;
  }
  std::u16string units;
  for (size_t i = 0; i + 1 < name.bytes.size(); i += 2) {
    const auto low = static_cast<unsigned char>(name.bytes[i]);
    const auto high = static_cast<unsigned char>(name.bytes[i + 1]);
    units.push_back(static_cast<char16_t>(low | (high << 8)));
  }
  napi_create_string_utf16(env, units.data(), units.size(), &result);
  return result;
}

// Appends [status, cell, ticket, token, abandoned] to the array.
void append(napi_env env, napi_value list, uint32_t* length, const RequestAnswer& answer) {
  const double numbers[] = {static_cast<double>(answer.status), static_cast<double>(answer.id.cell),
                            static_cast<double>(answer.id.ticket),
                            static_cast<double>(answer.token), answer.abandoned ? 1.0 : 0.0};
  for (const double one : numbers) napi_set_element(env, list, (*length)++, number(env, one));
}

// request(name, exclusive, ifAvailable, steal): its status. Cell, ticket, token and abandoned are
// in answer[0] to answer[3].
napi_value request(N& native, napi_value name, bool exclusive, bool if_available, bool steal) {
  napi_env env = native.environment().env();
  const RequestAnswer answer =
      native.primitive.request(name_from(env, name), {exclusive, if_available, steal});
  if (answer.status == RequestStatus::corrupt) {
    return native.environment().raise(core::Code::corrupt, native);
  }
  double* const numbers = native.mailbox.answer;
  numbers[0] = answer.id.cell;
  numbers[1] = static_cast<double>(answer.id.ticket);
  numbers[2] = static_cast<double>(answer.token);
  numbers[3] = answer.abandoned ? 1 : 0;
  return to_js(env, native, answer.status);
}

RequestStatus end(N& native, uint32_t cell, uint64_t ticket) {
  return native.primitive.end({cell, ticket});
}

// undefined if the table cannot be read any more.
napi_value collect(N& native) {
  napi_env env = native.environment().env();
  std::vector<RequestAnswer> news;
  if (!native.primitive.collect(&news) && !native.primitive.is_plausible()) return nullptr;
  napi_value list = nullptr;
  uint32_t length = 0;
  napi_create_array(env, &list);
  for (const RequestAnswer& answer : news) append(env, list, &length, answer);
  return list;
}

bool spin_briefly(N& native, uint32_t cell, uint64_t ticket) {
  return native.primitive.spin_briefly({cell, ticket});
}

bool wait(N& native, uint32_t cell, uint64_t ticket, int64_t deadline_ns) {
  return native.primitive.wait({cell, ticket}, deadline_ns);
}

// Who has made requests: an array of [client, agent], in which each agent comes once.
class Clients {
 public:
  explicit Clients(N& native) : native_(native) { napi_create_array(env_, &list_); }

  uint32_t place_of(core::AgentId owner) {
    const auto [found, is_new] = places_.emplace(owner, static_cast<uint32_t>(places_.size()));
    if (is_new) {
      napi_value client = State(env_)
                              .set("id", to_js(env_, native_, std::to_string(owner)))
                              .set("agent", describe(env_, native_.registry(), owner))
                              .value();
      napi_set_element(env_, list_, found->second, client);
    }
    return found->second;
  }
  napi_value list() const { return list_; }

 private:
  N& native_;
  napi_env env_ = native_.environment().env();
  napi_value list_ = nullptr;
  std::unordered_map<core::AgentId, uint32_t> places_;
};

// undefined if the critical section could not be had. Few values for each request, because there
// may be 100,000.
napi_value query(N& native) {
  napi_env env = native.environment().env();
  std::vector<core::RequestFacts> all;
  if (!native.primitive.query(&all)) {
    if (native.primitive.is_plausible()) return nullptr;
    return native.environment().raise(core::Code::corrupt, native);
  }
  Clients clients(native);
  napi_value names = nullptr, buffer = nullptr, rows = nullptr;
  void* data = nullptr;
  napi_create_array_with_length(env, all.size(), &names);
  napi_create_arraybuffer(env, 3 * sizeof(uint32_t) * all.size(), &data, &buffer);
  napi_create_typedarray(env, napi_uint32_array, 3 * all.size(), buffer, 0, &rows);
  auto* row = static_cast<uint32_t*>(data);
  for (size_t i = 0; i < all.size(); i++) {
    // Otherwise the handles of all names would be kept until the end.
    napi_handle_scope scope = nullptr;
    napi_open_handle_scope(env, &scope);
    napi_set_element(env, names, static_cast<uint32_t>(i), text_of(env, all[i].name));
    *row++ = clients.place_of(all[i].owner);
    *row++ = all[i].exclusive ? 1 : 0;
    *row++ = all[i].held ? 1 : 0;
    napi_close_handle_scope(env, scope);
  }
  return State(env).set("names", names).set("rows", rows).set("clients", clients.list()).value();
}

uint64_t tag(N& native) { return native.object().tag(); }

napi_value inspect(N& native) {
  const core::LockManagerBody& body = native.primitive.body();
  return State(native.environment().env())
      .set("maxRequests", native.object().initial())
      .set("grants", body.grants.load())
      .set("contentions", body.contentions.load())
      .set("abandonments", body.abandonments.load())
      .set("steals", body.steals.load())
      .value();
}

napi_value functions(napi_env env) {
  Binder<core::LockManager> binder(env);
  binder.method<tag>("tag");
  binder.method<request, Needs::files>("request");
  binder.method<end>("end");
  binder.method<collect>("collect");
  binder.method<&core::LockManager::look>("look");
  binder.method<spin_briefly>("spinBriefly");
  binder.method<wait, Needs::files>("wait");
  binder.method<query>("query");
  binder.method<&core::LockManager::has_requests>("hasRequests");
  binder.method<inspect>("inspect");
  return binder.value();
}

}  // namespace

const KindBinding kLockManager = {core::Kind::lock_manager, "LockManager", functions,
                                  make_native<N>};

}  // namespace holdfast::addon
