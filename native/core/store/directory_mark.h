// How the users of a directory are found by those who can no longer see it.
//
// Somebody may remove the directory, or empty it, under its users: they go on with what they have
// open, and a process that comes then would make everything anew. So each process that uses the
// directory has a mark (platform.h) on what an rm leaves:
//
//   on       its place is made of
//   parent   the directory's name and its device: in another container something else may be
//            mounted there
//   root     the directory's path and the mount namespace. It is for users of a parent that was
//            removed, too. Elsewhere something else may be mounted on that path
//
// A process that is about to make a new registry looks for the marks of others.
//
// INV-24 A user of a registry has placed its mark before it saw that the path leads there. So of
// it and of a process that comes after a removal, at least one sees the other:
//
//   user       place the mark            does the path lead to the directory that I have?
//   remover                      remove
//   newcomer                             make the directory        look for marks
#ifndef HOLDFAST_CORE_STORE_DIRECTORY_MARK_H
#define HOLDFAST_CORE_STORE_DIRECTORY_MARK_H

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::core {

// A place for marks, made of a text. Two texts have the same one by chance in one of 10^12 cases.
uint64_t mark_place(const std::string& text);

class DirectoryMark {
 public:
  DirectoryMark() = default;
  ~DirectoryMark() { remove(); }
  DirectoryMark(const DirectoryMark&) = delete;
  DirectoryMark& operator=(const DirectoryMark&) = delete;

  // `directory` is an absolute path. In vain where this process may not open the parent, or root.
  void place(const std::string& directory, uint64_t device);
  void remove();
  // The processes that have the same mark, by pid.
  std::vector<uint32_t> others() const;

 private:
  struct Mark {
    int fd = -1;
    uint64_t place = 0;
  };
  Mark on_parent_;
  Mark on_root_;
};

}  // namespace holdfast::core

#endif
