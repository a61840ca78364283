#include "stage.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "../host.h"

namespace holdfast::test::sweeping {

namespace {

// For a hang, never to measure: far above what a play takes on a busy machine.
constexpr unsigned kWatchdog_s = 60;
constexpr int kReply_ms = 45'000;

volatile sig_atomic_t hung = 0;
volatile pid_t watched[2] = {};  // the victim (or casualty), the witness

// The children of this process that may stand in the way; it then finds them dead.
void on_alarm(int) {
  hung = 1;
  for (const pid_t pid : watched) {
    if (pid > 0) kill(pid, SIGKILL);
  }
}

int wait_for(pid_t pid, int options) {
  int status = 0;
  while (waitpid(pid, &status, options) < 0) {
    if (errno != EINTR) return -1;
  }
  return status;
}

void kill_and_reap(pid_t pid) {
  if (pid <= 0) return;
  kill(pid, SIGKILL);
  wait_for(pid, 0);
}

template <class Body>
pid_t start_process(Body body) {
  const pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid != 0) return pid;
  host::die_with_parent();
  body();
  _exit(0);
}

}  // namespace

Stage::Stage(const Operation& operation) : operation_(operation) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_alarm;
  sigaction(SIGALRM, &action, nullptr);
  start();
}

Stage::~Stage() { stop(); }

void Stage::start() {
  scene_ = operation_.make();
  alarm(kWatchdog_s);
  CHECK(start_witness());
  alarm(0);
}

void Stage::stop() {
  kill_and_reap(std::exchange(witness_, 0));
  watched[1] = 0;
  if (line_ >= 0) ::close(std::exchange(line_, -1));
  scene_.reset();
  clear_world();
}

// ---------------------------------------------------------------- the witness

bool Stage::start_witness() {
  int ends[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  witness_ = start_process([&] {
    ::close(ends[0]);
    scene_->arrive();
    char command = 'r';
    do {
      char reply = '+';
      if (command == 's') scene_->set_up();
      if (command == 'm') scene_->meanwhile();
      if (command == 'a') scene_->afterwards();
      if (command == 'c') reply = static_cast<char>(scene_->check());
      if (command == 'l') scene_->leave();
      if (write(ends[1], &reply, 1) != 1) _exit(1);
    } while (command != 'l' && read(ends[1], &command, 1) == 1);
  });
  ::close(ends[1]);
  line_ = ends[0];
  watched[1] = witness_;
  return hear(nullptr, kReply_ms);
}

bool Stage::tell(char command) { return send(line_, &command, 1, MSG_NOSIGNAL) == 1; }

bool Stage::hear(Progress* progress, int timeout_ms) {
  pollfd line{line_, POLLIN, 0};
  int ready;
  do {
    ready = poll(&line, 1, timeout_ms);
  } while (ready < 0 && errno == EINTR);
  char reply;
  if (ready <= 0 || read(line_, &reply, 1) != 1) return false;
  if (progress != nullptr) *progress = static_cast<Progress>(reply);
  return true;
}

bool Stage::ask(char command, Progress* progress) {
  return tell(command) && hear(progress, kReply_ms);
}

// ---------------------------------------------------------------- casualty and victim

bool Stage::run_casualty() {
  watched[0] = start_process([&] {
    scene_->casualty();
    kill(getpid(), SIGKILL);
  });
  const int status = wait_for(watched[0], 0);
  watched[0] = 0;
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && hung == 0;
}

pid_t Stage::start_victim(const Play& play) {
  return start_process([&] {
    scene_->get_ready();
    if (play.counts_visits) start_counting();
    if (play.point != kNoPoint) light(play.point, play.nth);
    begin_operation(play.plan, &*tape_);
    scene_->operate();
    scene_->facts->returned = true;
    end_operation();
    if (play.counts_visits) stop_counting(visits_->count);
    if (play.point != kNoPoint) light(play.point, 0);
    scene_->finish();
  });
}

bool Stage::ended_well(int status) {
  if (WIFSIGNALED(status) && hung == 0) {
    complain(std::string("the victim ended by signal ") + to_text(WTERMSIG(status)));
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool Stage::watch_killed(pid_t victim, const Play& play) {
  const int status = wait_for(victim, 0);
  if (hung != 0) return false;
  const bool may_die = play.plan.mode == Mode::kill || play.point != kNoPoint;
  if (!may_die || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) return ended_well(status);
  scene_->facts->died = true;
  return true;
}

bool Stage::watch_stopped(pid_t victim) {
  int status = wait_for(victim, WUNTRACED);
  if (!WIFSTOPPED(status)) return ended_well(status) && false;
  // The witness tries to get by. What it may have to wait for is the victim itself, so that goes on
  // before long.
  if (!tell('m')) return false;
  bool replied = hear(nullptr, scene_->standstill_ms());
  if (!tape_->reached_end) {
    kill(victim, SIGCONT);
    status = wait_for(victim, WUNTRACED);
    if (!WIFSTOPPED(status)) return ended_well(status) && false;
  }
  if (!replied && !hear(nullptr, kReply_ms)) return false;
  if (!ask('a')) return false;
  kill(victim, SIGCONT);
  return ended_well(wait_for(victim, 0));
}

// ---------------------------------------------------------------- a play

Outcomes Stage::play(const Play& play) {
  Outcomes outcomes;
  set_where(play.where);
  Facts& facts = *scene_->facts;
  facts.victim = facts.casualty = facts.number = 0;
  facts.died = facts.returned = facts.holds = facts.told = false;
  tape_->stopped_at = 0;
  tape_->reached_end = false;
  tape_->temporary[0] = '\0';
  hung = 0;
  alarm(kWatchdog_s);

  bool whole = ask('s') && (!scene_->has_casualty() || run_casualty());
  if (whole) {
    watched[0] = start_victim(play);
    whole =
        play.plan.mode == Mode::stop ? watch_stopped(watched[0]) : watch_killed(watched[0], play);
    if (!whole) {
      kill(watched[0], SIGKILL);
      waitpid(watched[0], nullptr, 0);
    }
    watched[0] = 0;
  }
  if (tape_->temporary[0] != '\0') {
    outcomes.temporary = unlink(tape_->temporary) == 0;
  }
  whole = whole && ask('c', &outcomes.progress);
  if (whole && facts.died && facts.returned && outcomes.progress == Progress::not_done) {
    complain("the operation had returned, and its effect is not there");
  }
  alarm(0);
  if (hung != 0) complain("hangs");
  outcomes.strayed = play.plan.steps && tape_->stopped_at == 0;
  const uint32_t failures = take_failures();
  outcomes.passed = whole && failures == 0;
  if (!whole && failures == 0) complain("a process went away without a word");
  if (!outcomes.passed) {
    take_failures();
    stop();
    start();
  }
  return outcomes;
}

bool Stage::close() {
  set_where("after the sweep");
  alarm(kWatchdog_s);
  bool whole = ask('l');
  const int status = wait_for(std::exchange(witness_, 0), 0);
  whole = whole && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  // Those who were killed last were still users when the others looked.
  const int swept = wait_for(start_process([] { sweep(); }), 0);
  whole = whole && WIFEXITED(swept) && WEXITSTATUS(swept) == 0;
  alarm(0);
  const std::string left = clear_world();
  if (!left.empty()) complain("left behind:" + left);
  if (!whole) complain("the witness did not leave");
  return take_failures() == 0 && whole;
}

}  // namespace holdfast::test::sweeping
