// A relation between the events of one execution: a bit for each pair. An execution has at most 31
// events, so a row is one number.

export class Relation {
  constructor(rows) {
    if (rows.length > 31) throw new Error(`${rows.length} events: more than 31`);
    this.rows = rows;
  }

  static none(size) {
    return new Relation(Array.from({ length: size }, () => 0));
  }

  static of(size, pairs) {
    const { rows } = Relation.none(size);
    for (const [from, to] of pairs) rows[from.id] |= 1 << to.id;
    return new Relation(rows);
  }

  static where(events, test) {
    return new Relation(
      events.map((from) =>
        events.reduce((row, to) => (test(from, to) ? row | (1 << to.id) : row), 0),
      ),
    );
  }

  /** Those events with themselves: `[A]` in the papers. */
  static identity(events, test) {
    return new Relation(events.map((event) => (test(event) ? 1 << event.id : 0)));
  }

  get size() {
    return this.rows.length;
  }

  or(...others) {
    return new Relation(
      this.rows.map((row, i) => others.reduce((sum, other) => sum | other.rows[i], row)),
    );
  }

  and(other) {
    return new Relation(this.rows.map((row, i) => row & other.rows[i]));
  }

  without(other) {
    return new Relation(this.rows.map((row, i) => row & ~other.rows[i]));
  }

  /** `this; other` in the papers. */
  join(other) {
    return new Relation(
      this.rows.map((row) =>
        other.rows.reduce((sum, next, j) => ((row >> j) & 1 ? sum | next : sum), 0),
      ),
    );
  }

  inverse() {
    return new Relation(
      this.rows.map((_, i) =>
        this.rows.reduce((sum, row, j) => ((row >> i) & 1 ? sum | (1 << j) : sum), 0),
      ),
    );
  }

  /** Those that something leads to, each with itself. */
  range() {
    const reached = this.rows.reduce((sum, row) => sum | row, 0);
    return new Relation(this.rows.map((_, i) => reached & (1 << i)));
  }

  orSame() {
    return new Relation(this.rows.map((row, i) => row | (1 << i)));
  }

  closure() {
    const rows = [...this.rows];
    for (let via = 0; via < rows.length; via++) {
      for (let from = 0; from < rows.length; from++) {
        if ((rows[from] >> via) & 1) rows[from] |= rows[via];
      }
    }
    return new Relation(rows);
  }

  closureOrSame() {
    return this.closure().orSame();
  }

  isEmpty() {
    return this.rows.every((row) => row === 0);
  }

  isIrreflexive() {
    return this.rows.every((row, i) => ((row >> i) & 1) === 0);
  }

  isAcyclic() {
    return this.closure().isIrreflexive();
  }
}
