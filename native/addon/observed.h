// What a look from outside at an object is in JavaScript.
#ifndef HOLDFAST_ADDON_OBSERVED_H
#define HOLDFAST_ADDON_OBSERVED_H

#include <vector>

#include "addon/convert.h"
#include "core/store/observation.h"

namespace holdfast::addon {

// Those who hold an object, or those who wait for it.
inline napi_value to_parties(napi_env env, const std::vector<core::Observation::Party>& parties) {
  napi_value list = nullptr;
  napi_create_array_with_length(env, parties.size(), &list);
  for (uint32_t i = 0; i < parties.size(); i++) {
    const napi_value party = describe(env, parties[i].agent)
                                 .set("how", text(env, parties[i].how, NAPI_AUTO_LENGTH))
                                 .set("count", parties[i].count)
                                 .value();
    napi_set_element(env, list, i, party);
  }
  return list;
}

// null if the object cannot be observed.
inline napi_value to_state(napi_env env, const core::Observation& seen) {
  if (!seen.is_known) return null(env);
  State state(env);
  state.set("holders", to_parties(env, seen.holders))
      .set("waiters", to_parties(env, seen.waiters))
      .set("abandoned", seen.abandoned)
      .set("heldFor", number_or_null(env, seen.held_ms))
      .set("longestWait", number_or_null(env, seen.longest_wait_ms));
  for (const auto& [name, value] : seen.numbers) state.set(name, value);
  return state.value();
}

}  // namespace holdfast::addon

#endif
