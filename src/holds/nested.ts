// What is held around the running code: a list, the latest first. AsyncLocalStorage carries it
// along the call tree. What is in it cannot be removed from all contexts that inherited it. So it
// stays there when it has ended, and `isOver` is true then.

export interface Nested<H extends { readonly isOver: boolean }> {
  readonly hold: H;
  readonly outer: Nested<H> | undefined;
}

/** Drops ended holds. Otherwise the list of a task that acquires in a loop would grow each time. */
export function withoutThoseOver<H extends { readonly isOver: boolean }>(
  nested: Nested<H> | undefined,
): Nested<H> | undefined {
  if (nested === undefined) return undefined;
  const outer = withoutThoseOver(nested.outer);
  if (nested.hold.isOver) return outer;
  return outer === nested.outer ? nested : { hold: nested.hold, outer };
}

/** From the inside out. Some may be over. */
export function* holdsIn<H extends { readonly isOver: boolean }>(
  nested: Nested<H> | undefined,
): Generator<H, void, undefined> {
  for (let at = nested; at; at = at.outer) yield at.hold;
}
