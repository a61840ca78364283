// What the tests of a LockManager share: requests, and what becomes of them.
#ifndef HOLDFAST_TEST_LOCK_MANAGER_SUITE_H
#define HOLDFAST_TEST_LOCK_MANAGER_SUITE_H

#include <string>
#include <vector>

#include "core/locks/lock_manager.h"
#include "support.h"

namespace holdfast::test {

using core::LockManager;
using core::LockName;
using core::RequestAnswer;
using core::RequestId;
using core::RequestMode;
using core::RequestStatus;

inline constexpr RequestMode kShared = {false, false, false};
inline constexpr RequestMode kIfAvailable = {true, true, false};
inline constexpr RequestMode kSteal = {true, false, true};

inline core::OpenRequest table(uint32_t requests = 64) {
  auto request = request_for(Kind::lock_manager, "locks");
  request.initial = requests;
  return request;
}

inline LockName name_of(const std::u16string& text) { return {text.data(), text.size()}; }
inline LockName name_of(const std::string& text) {
  return name_of(std::u16string(text.begin(), text.end()));
}

inline RequestAnswer ask(User<LockManager>& user, const std::string& name,
                         const RequestMode& mode = {}) {
  return user->request(name_of(name), mode);
}

// Others may keep the table busy.
inline RequestAnswer ask_in_the_end(User<LockManager>& user, const std::string& name) {
  RequestAnswer answer;
  EVENTUALLY((answer = ask(user, name)).status != RequestStatus::busy);
  CHECK_EQUAL(answer.status, RequestStatus::granted);
  return answer;
}

inline std::vector<RequestAnswer> news_of(User<LockManager>& user) {
  std::vector<RequestAnswer> news;
  CHECK(user->collect(&news));
  return news;
}

// What query() shows of a name: E or S for those that hold, e or s for those that wait.
inline std::string line_of(User<LockManager>& user, const std::string& name) {
  std::vector<core::RequestFacts> all;
  CHECK(user->query(&all));
  std::string held, pending;
  for (const auto& one : all) {
    if (one.name.bytes != name) continue;
    (one.held ? held : pending) += one.exclusive ? (one.held ? 'E' : 'e') : (one.held ? 'S' : 's');
  }
  return held + pending;
}

// Ends every request, so that nothing is left to be told. Others may keep the table busy.
inline void end_all(User<LockManager>& user, const std::vector<RequestAnswer>& answers) {
  for (const auto& answer : answers) EVENTUALLY(user->end(answer.id) != RequestStatus::busy);
  CHECK(!user->has_requests());
}

}  // namespace holdfast::test

#endif
