// Memory models: which candidate executions a language or a processor allows. Each is a few rules
// on relations between events, in the words of the papers and of herd7's .cat files, so that they
// can be compared line by line.
//
//   c11          what C++ promises, as RC11 repairs it (Lahav et al., PLDI 2017), without the
//                release sequences of plain stores that C++20 took away
//   aarch64      Arm's model with a load-exclusive and a store-exclusive for a read-modify-write
//   aarch64_lse  the same with one instruction (CASAL, SWPAL, ...) for it
//   x86          TSO; platform::fence_after_rmw() is no instruction there
//
// No model counts dependencies between events, because compilers may remove them. So each of these
// allows what the original allows, and may allow more.

import { Relation } from './relation.mjs';

const isAcquire = ({ order }) => ['acquire', 'acq_rel', 'seq_cst'].includes(order);
const isRelease = ({ order }) => ['release', 'acq_rel', 'seq_cst'].includes(order);
const isSeqCst = ({ order }) => order === 'seq_cst';
const isRead = ({ kind }) => kind === 'R';
const isWrite = ({ kind }) => kind === 'W';
const isFence = ({ kind }) => kind === 'F';
const isAccess = (event) => !isFence(event);
const both =
  (...tests) =>
  (event) =>
    tests.every((test) => test(event));

/** The relations that every model begins with. */
export function relationsOf({ events, order, readsFrom }) {
  const size = events.length;
  const where = (test) => Relation.where(events, test);
  const po = where((a, b) => a.thread === b.thread && a.thread >= 0 && a.id < b.id);
  const loc = where((a, b) => a.place !== undefined && a.place === b.place);
  const ext = where((a, b) => a.thread !== b.thread);
  const rf = Relation.of(size, readsFrom);
  const co = Relation.of(
    size,
    order.flatMap((list) => list.flatMap((a, i) => list.slice(i + 1).map((b) => [a, b]))),
  );
  const fr = rf.inverse().join(co);
  const rmw = where((a, b) => a.ofRmw && b.ofRmw && isRead(a) && isWrite(b) && b.id === a.id + 1);
  const only = (test) => Relation.identity(events, test);
  return { po, loc, ext, rf, co, fr, rmw, only, com: rf.or(co).or(fr) };
}

/** Each location has one history, and nothing comes into the middle of a read-modify-write. */
function isCoherent({ po, loc, com, rmw, fr, co }) {
  return po.and(loc).or(com).isAcyclic() && rmw.and(fr.join(co)).isEmpty();
}

function c11({ po, loc, rf, co, fr, rmw, only }) {
  const fence = only(isFence);
  const readsOrWrites = only(isAccess);
  const eco = rf.or(co).or(fr).closure();
  const releaseSequence = only(isWrite).join(rf.join(rmw).closureOrSame());
  const sw = only(isRelease)
    .join(fence.join(po).orSame())
    .join(releaseSequence)
    .join(rf)
    .join(readsOrWrites)
    .join(po.join(fence).orSame())
    .join(only(isAcquire));
  const hb = po.or(sw).closure();
  if (!hb.join(eco.orSame()).isIrreflexive()) return false;
  if (!po.or(rf).isAcyclic()) return false;
  const elsewhere = po.without(loc);
  const scb = po.or(elsewhere.join(hb).join(elsewhere), hb.and(loc), co, fr);
  const sc = only(isSeqCst);
  const scFence = only(both(isSeqCst, isFence));
  const base = sc
    .or(scFence.join(hb.orSame()))
    .join(scb)
    .join(sc.or(hb.orSame().join(scFence)));
  const fences = scFence.join(hb.or(hb.join(eco).join(hb))).join(scFence);
  return base.or(fences).isAcyclic();
}

/** As compilers write C++ for AArch64. An acquire is an LDAPR, the weakest that is taken for it. */
function aarch64({ po, ext, rf, com, rmw, only }, isOneInstruction) {
  const a = only(both(isRead, (event) => isSeqCst(event) || (event.ofRmw && isAcquire(event))));
  const aOrQ = only(both(isRead, isAcquire));
  const l = only(both(isWrite, isRelease));
  const fullFence = only(both(isFence, isRelease));
  const loadFence = only(both(isFence, isAcquire));
  const bob = po
    .join(fullFence)
    .join(po)
    .or(
      only(isRead).join(po).join(loadFence).join(po),
      l.join(po).join(a),
      aOrQ.join(po),
      po.join(l),
      isOneInstruction ? a.join(rmw).join(l).range().join(po) : Relation.none(po.size),
    );
  const aob = rmw.or(rmw.range().join(rf).join(aOrQ));
  return com.and(ext).or(bob, aob).isAcyclic();
}

function x86({ po, ext, com, only }) {
  const load = only(isRead);
  const store = only(isWrite);
  // A sequentially consistent store is an XCHG.
  const locked = only((event) => event.ofRmw || both(isWrite, isSeqCst)(event));
  const accesses = only(isAccess).join(po).join(only(isAccess));
  const ppo = accesses.without(store.join(po).join(load));
  return ppo.or(locked.join(accesses), accesses.join(locked), com.and(ext)).isAcyclic();
}

/** Whether a model allows an execution, by the model's name. */
export const models = {
  c11: (relations) => isCoherent(relations) && c11(relations),
  aarch64: (relations) => isCoherent(relations) && aarch64(relations, false),
  aarch64_lse: (relations) => isCoherent(relations) && aarch64(relations, true),
  x86: (relations) => isCoherent(relations) && x86(relations),
};
