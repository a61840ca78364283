// A robust mutex without the help of a kernel: one word, 0 or the id of the agent that holds it. A
// dead agent's word is taken over by compare-and-swap, so by one taker only.
#ifndef HOLDFAST_PLATFORM_WORD_MUTEX_H
#define HOLDFAST_PLATFORM_WORD_MUTEX_H

#include "platform/platform.h"

namespace holdfast::platform {

MutexResult try_lock_word(uint64_t* word, const MutexParty& party);
// For short critical sections only: it yields and polls. A thread that waits longer goes to its
// doorbell.
MutexResult lock_word_until(uint64_t* word, const MutexParty& party, int64_t deadline_ns);
void unlock_word(uint64_t* word, const MutexParty& party);

}  // namespace holdfast::platform

#endif
