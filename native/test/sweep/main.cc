// sweep [options] [filter...]: kills and stops processes at the instructions of each operation, and
// looks whether the others find everything whole. A filter is a part of "Object / operation".
//
//   --every                      all positions, instead of some with a random phase
//   --seed=<n> --object=<name>   the random choices of a run; the operations of one object
//   --kill --stop --kill-points  only these sweeps
//
// An operation and a way to sweep it is one test. Last: `N passed, N failed[, N skipped]`.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "../host.h"
#include "stage.h"

namespace holdfast::test::sweeping {

namespace {

enum class Way { kill, stop, points };
const char* const kWays[] = {"kill", "stop", "kill-points"};

struct Options {
  bool every = false;
  bool ways[3] = {};
  uint64_t seed = 0;
  std::string object;
  std::vector<std::string> filters;
};

// What a worker found out. In shared memory.
struct Result {
  uint64_t instructions = 0;
  uint64_t plays = 0;
  uint64_t failures = 0;
  uint64_t strayed = 0;
  uint64_t temporaries = 0;
  uint64_t effect_at = 0;  // the first position, plus one, at which the effect was there
  uint64_t took_ms = 0;
  bool finished = false;
  bool skipped = false;
  bool reached[kPointsMax] = {};
};

struct Task {
  const Operation* operation;
  Way way;
  pid_t pid = 0;
  std::unique_ptr<Shared<Result>> result = std::make_unique<Shared<Result>>();
  std::string name() const {
    return std::string(operation->object) + " / " + operation->name + ", " +
           kWays[static_cast<int>(way)];
  }
};

Options options;

// How many positions a bounded run takes; a stop may cost two slices.
constexpr size_t kKills = 80, kSlowKills = 12;
constexpr size_t kStops = 16, kSlowStops = 6;
constexpr uint64_t kDear_us = 5'000;
constexpr size_t kDearOnes = 4;
constexpr uint64_t kFailuresShown = 5;
// Tasks at a time: many of them sleep.
constexpr size_t kTasksAtATime = 4;

// ---------------------------------------------------------------- positions

// Loops of thousands of rounds over slots that are all alike are sampled even with --every, or they
// would be all that is swept.
bool is_sampled_out(const Route& route, size_t position, Random& chance) {
  if (route.is_repetition(position)) return !chance.one_in(8192);
  const uint32_t all_of_them = options.every ? 64 : 12;
  return route.visits(position) > all_of_them && !chance.one_in(route.visits(position));
}

// Ascending, so that "the effect is there" may be asked to stay true.
std::vector<size_t> choose_positions(const Route& route, size_t limit, Random& chance) {
  std::vector<size_t> chosen, candidates;
  for (size_t i = 0; i < route.length(); i++) {
    if (!is_sampled_out(route, i, chance)) candidates.push_back(i);
  }
  if (options.every) return candidates;
  const size_t stride = std::max<size_t>(1, (candidates.size() + limit / 2) / limit);
  size_t dear = 0;
  for (size_t i = chance.below(stride); i < candidates.size(); i += stride) {
    const bool is_dear = route.plan(Mode::run, candidates[i]).cost_us > kDear_us;
    if (is_dear && ++dear > kDearOnes) continue;
    chosen.push_back(candidates[i]);
  }
  return chosen;
}

// ---------------------------------------------------------------- one task

// False when enough has failed.
bool note_outcomes(Result& result, const Outcomes& outcomes) {
  result.plays++;
  result.strayed += outcomes.strayed;
  result.temporaries += outcomes.temporary;
  result.failures += !outcomes.passed;
  return result.failures < kFailuresShown;
}

bool play_whole(Stage& stage, const Play& play, Result& result) {
  if (stage.play(play).passed) return true;
  result.failures++;
  return false;
}

void sweep_instructions(Stage& stage, const Task& task, Result& result) {
  Play play;
  play.where = "undisturbed";
  if (!play_whole(stage, play, result)) return;
  // What a dead victim leaves is what all later ones find.
  play.plan.mode = task.way == Way::kill ? Mode::kill : Mode::run;
  if (!play_whole(stage, play, result)) return;
  play.plan.mode = Mode::record;
  play.where = "recorded";
  if (!play_whole(stage, play, result)) return;
  if (stage.tape().overflowed) complain("its instructions are too many to record");
  const Route route(stage.tape());
  result.instructions = route.length();

  const bool stops = task.way == Way::stop;
  const Mode mode = stops ? Mode::stop : Mode::kill;
  const bool slow = task.operation->slow;
  const size_t all = stops ? (slow ? kSlowStops : kStops) : (slow ? kSlowKills : kKills);
  // In CI a third, so that all of it fits into its time.
  const size_t limit = getenv("CI") != nullptr ? (all + 2) / 3 : all;
  Random chance(stops ? 2 : 1);
  uint64_t done_before = 0;
  Plan done_plan;
  std::vector<size_t> positions = choose_positions(route, limit, chance);
  positions.push_back(route.length());  // when it is all done
  for (const size_t position : positions) {
    play.plan = position < route.length() ? route.plan(mode, position) : Plan{mode};
    play.where = std::string(stops ? "stopped" : "killed") + " at " + to_text(position) + " of " +
                 to_text(route.length()) + " (" +
                 (position < route.length() ? place_of(route.at(position)) : "its end") + ")";
    const Outcomes outcomes = stage.play(play);
    if (!note_outcomes(result, outcomes)) return;
    if (stops || outcomes.strayed) continue;
    if (outcomes.progress == Progress::done && done_before == 0) {
      done_before = position + 1;
      done_plan = play.plan;
    }
    if (outcomes.progress == Progress::not_done && done_before != 0) {
      // A clock that ticks meanwhile sends who reads it round once more, and the places behind it
      // come later than they were recorded. What happened once only was that.
      play.plan = done_plan;
      if (stage.play(play).progress == Progress::done) {
        complain("its effect had been there at " + to_text(done_before - 1) + ", and is not here");
        result.failures++;
      }
      done_before = 0;
    }
  }
  result.effect_at = done_before;
}

void sweep_points(Stage& stage, Result& result) {
  Play play;
  play.where = "undisturbed";
  if (!play_whole(stage, play, result)) return;
  play.counts_visits = true;
  if (!play_whole(stage, play, result)) return;
  play.counts_visits = false;
  std::vector<uint64_t> visits(point_count());
  for (size_t i = 0; i < visits.size(); i++) visits[i] = stage.visits(i);

  Random chance(3);
  for (size_t i = 0; i < visits.size(); i++) {
    result.reached[i] = visits[i] != 0;
    std::vector<uint64_t> turns;
    for (uint64_t nth = 1; nth <= visits[i]; nth++) {
      const bool rare = nth == 1 || nth == visits[i];
      if (rare || (options.every && (nth <= 64 || chance.one_in(nth)))) turns.push_back(nth);
    }
    for (const uint64_t nth : turns) {
      play.point = i;
      play.nth = nth;
      play.where = std::string("killed at ") + point_name(i) + ", visit " + to_text(nth);
      if (!note_outcomes(result, stage.play(play))) return;
    }
  }
}

void work(const Task& task) {
  Result& result = **task.result;
  const int64_t started = platform::monotonic_ns();
  prepare_world(task.name(), options.seed);
  {
    Stage stage(*task.operation);
    if (task.way == Way::points) {
      sweep_points(stage, result);
    } else {
      sweep_instructions(stage, task, result);
    }
    if (!stage.close()) result.failures++;
  }
  leave_world();
  result.took_ms =
      static_cast<uint64_t>((platform::monotonic_ns() - started) / platform::kNanosPerMilli);
  result.finished = true;
}

// ---------------------------------------------------------------- all tasks

void start(Task& task) {
  if (task.way != Way::points && !can_step()) {
    (*task.result)->skipped = (*task.result)->finished = true;
    return;
  }
  fflush(stdout);
  task.pid = fork();
  if (task.pid != 0) return;
  host::die_with_parent();
  work(task);
  fflush(stdout);
  _exit(0);
}

void report(const Task& task) {
  const Result& result = **task.result;
  const bool passed = result.finished && result.failures == 0;
  printf("%s %-52s",
         result.skipped ? "skipped"
         : passed       ? "ok     "
                        : "FAILED ",
         task.name().c_str());
  if (task.way != Way::points)
    printf(" %6llu instructions,", (unsigned long long)result.instructions);
  printf(" %5llu %s", (unsigned long long)result.plays, task.way == Way::stop ? "stops" : "kills");
  if (result.effect_at != 0) {
    printf(", effect by %llu", (unsigned long long)result.effect_at - 1);
  }
  if (result.strayed != 0) printf(", %llu strayed", (unsigned long long)result.strayed);
  if (result.temporaries != 0) {
    printf(", %llu half-made semaphores of libc", (unsigned long long)result.temporaries);
  }
  printf(" (%.1f s)\n", static_cast<double>(result.took_ms) / 1000);
  fflush(stdout);
}

void run_tasks(std::vector<Task>& tasks) {
  size_t next = 0, running = 0;
  while (next < tasks.size() || running > 0) {
    while (running < kTasksAtATime && next < tasks.size()) {
      start(tasks[next]);
      running += tasks[next].pid != 0;
      if (tasks[next].pid == 0) report(tasks[next]);
      next++;
    }
    int status = 0;
    const pid_t ended = running > 0 ? waitpid(-1, &status, 0) : 0;
    for (Task& task : tasks) {
      if (ended <= 0 || task.pid != ended) continue;
      task.pid = 0;  // the number is soon another one's
      running--;
      if (!(*task.result)->finished)
        printf("  FAILED %s: the sweep broke off\n", task.name().c_str());
      report(task);
    }
  }
}

// A kill point that no operation comes by proves nothing.
uint32_t count_unreached(const std::vector<Task>& tasks) {
  uint32_t unreached = 0;
  for (size_t i = 0; i < point_count(); i++) {
    bool reached = !is_reachable(i);
    for (const Task& task : tasks) reached |= task.way == Way::points && (*task.result)->reached[i];
    if (!reached) printf("  FAILED kill point %s: no operation comes by\n", point_name(i));
    unreached += !reached;
    for (size_t other = 0; other < i; other++) {
      if (strcmp(point_name(i), point_name(other)) != 0) continue;
      printf("  FAILED kill point %s: there are two of that name\n", point_name(i));
      unreached++;
    }
  }
  return unreached;
}

void print_table(const std::vector<Task>& tasks) {
  printf("\n%-46s %12s %7s %7s %7s %9s\n", "operation", "instructions", "kills", "stops", "points",
         "failures");
  for (const Operation& operation : operations()) {
    uint64_t plays[3] = {}, instructions = 0, failures = 0;
    bool chosen = false;
    for (const Task& task : tasks) {
      if (task.operation != &operation) continue;
      const Result& result = **task.result;
      chosen = true;
      plays[static_cast<int>(task.way)] = result.plays;
      instructions = std::max(instructions, result.instructions);
      failures += result.failures;
    }
    if (!chosen) continue;
    const std::string name = std::string(operation.object) + " / " + operation.name;
    printf("%-46s %12llu %7llu %7llu %7llu %9llu\n", name.c_str(), (unsigned long long)instructions,
           (unsigned long long)plays[0], (unsigned long long)plays[1], (unsigned long long)plays[2],
           (unsigned long long)failures);
  }
  printf("\n");
}

bool parse(int count, char** arguments) {
  uint32_t seed = 0;
  platform::random_bytes(&seed, sizeof seed);
  options.seed = seed;
  for (int i = 1; i < count; i++) {
    const std::string argument = arguments[i];
    if (argument == "--every")
      options.every = true;
    else if (argument == "--kill")
      options.ways[0] = true;
    else if (argument == "--stop")
      options.ways[1] = true;
    else if (argument == "--kill-points")
      options.ways[2] = true;
    else if (argument.rfind("--seed=", 0) == 0)
      options.seed = strtoull(arguments[i] + 7, nullptr, 10);
    else if (argument.rfind("--object=", 0) == 0)
      options.object = argument.substr(9);
    else if (argument.rfind("--", 0) == 0)
      return false;
    else
      options.filters.push_back(argument);
  }
  if (!options.ways[0] && !options.ways[1] && !options.ways[2]) {
    for (bool& way : options.ways) way = true;
  }
  return true;
}

bool is_chosen(const Operation& operation) {
  const std::string name = std::string(operation.object) + " / " + operation.name;
  bool chosen = options.filters.empty();
  for (const std::string& filter : options.filters)
    chosen |= name.find(filter) != std::string::npos;
  return chosen &&
         (options.object.empty() || strcasecmp(options.object.c_str(), operation.object) == 0);
}

int run(int count, char** arguments) {
  if (!parse(count, arguments)) {
    fprintf(stderr, "unknown option; see native/test/sweep/main.cc\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  printf("--seed=%llu, %zu kill points\n", (unsigned long long)options.seed, point_count());
  if (!can_step())
    printf("skipped: this processor cannot step by itself; only the kill points run\n");

  std::vector<Task> tasks;
  for (const Operation& operation : operations()) {
    for (int way = 0; way < 3; way++) {
      if (options.ways[way] && is_chosen(operation)) tasks.push_back({&operation, Way{way}});
    }
  }
  run_tasks(tasks);
  print_table(tasks);

  uint32_t passed = 0, failed = 0, skipped = 0;
  for (const Task& task : tasks) {
    const Result& result = **task.result;
    if (result.skipped)
      skipped++;
    else if (result.finished && result.failures == 0)
      passed++;
    else
      failed++;
  }
  if (options.ways[2] && options.object.empty() && options.filters.empty()) {
    (count_unreached(tasks) == 0 ? passed : failed)++;
  }
  printf("%u passed, %u failed", passed, failed);
  if (skipped > 0) printf(", %u skipped", skipped);
  printf("\n");
  return failed > 0 ? 1 : 0;
}

}  // namespace

}  // namespace holdfast::test::sweeping

int main(int count, char** arguments) { return holdfast::test::sweeping::run(count, arguments); }
