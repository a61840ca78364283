// The cells of a LockManager's table: which are free, and the names that they hold.
//
// All of it is used in the critical section. A link that leads nowhere damages nothing: it leads to
// a cell of this process that is empty, and is_damaged() says so.
#ifndef HOLDFAST_CORE_LOCKS_CELLS_H
#define HOLDFAST_CORE_LOCKS_CELLS_H

#include <string>
#include <vector>

#include "core/locks/layout.h"
#include "core/store/object.h"

namespace holdfast::core {

// The name of a lock, as it is in the table.
struct LockName {
  std::string bytes;
  bool is_latin1 = true;
  uint64_t hash = 0;

  LockName() = default;
  // UTF-16, of which each name has one form here: Latin-1 if that can write it.
  LockName(const char16_t* text, size_t length);
};

class Cells {
 public:
  explicit Cells(Object& object)
      : object_(object),
        body_(*object.body<LockManagerBody>()),
        shape_(TableShape::of(object.initial())) {}

  const TableShape& shape() const { return shape_; }
  // False if a word that leads to everything else has an impossible value.
  bool are_plausible() const;

  RequestCell& at(uint32_t index);
  uint32_t used() const { return body_.used.load(); }
  bool is_damaged() const { return is_damaged_; }
  void set_damaged(bool is_damaged) { is_damaged_ = is_damaged; }

  // Returns a cell that has this name and nothing else; 0 if there is no room for it.
  uint32_t make(const LockName& name);
  bool has_name(uint32_t index, const LockName& name);
  LockName name_of(uint32_t index);
  // Frees the cells of a request that has ended: its `owner` is 0.
  void free(uint32_t index);

  // For an index that is made anew. Marks the cells of a request. False if it cannot have them.
  bool mark(uint32_t index, std::vector<bool>* marked);
  // All cells that are not marked are free from here on.
  void free_unmarked(const std::vector<bool>& marked);

 private:
  NameCell& part(uint32_t index) { return reinterpret_cast<NameCell&>(at(index)); }
  RequestCell& cell(uint32_t index) const {
    return reinterpret_cast<RequestCell*>(object_.table() + shape_.cells_offset)[index];
  }
  uint32_t allocate();
  void push_free(uint32_t index);
  static uint32_t parts_of(size_t length);

  Object& object_;
  LockManagerBody& body_;
  const TableShape shape_;
  bool is_damaged_ = false;
  RequestCell nowhere_{};
};

}  // namespace holdfast::core

#endif
