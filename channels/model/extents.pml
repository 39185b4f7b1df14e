/* A model of payload memory: extents, the blocks that name them, and a queue's limit.

   WHAT IS CLAIMED (each is an assertion here)
   1. An extent is in use by at most one block, and by none while it has no memory. None is lost: in the end each one that a
      block owns is named by it, and the block's owner is alive (or stopped) and has it.
   2. The payloads that were admitted are never above MAX_BYTES together, unless there is only one.
   3. In the end, unless somebody was stopped, every free extent has its hint.

   WHAT IS MODELLED
   - An extent's owner, its hint, a block's name and the queue's largest class are one atomic word each; one step is one access.
     Generations are left out: a late compare-and-swap that meets the same word again is right again.
   - put: raise the largest, look whether there is room (shortcut or sum, block by block), for each extent that is tried: clear the
     hint (not if it was freed lately), name, compare-and-swap; no extent: forget, ask the agent. Then shortcut, or sum:
     admitted or released again.
   - release: owner by compare-and-swap from this block, hint, forget.
   - The agent: grow in one step (hint what is free, else give memory), take the memory of free extents (RECLAIMS), burial (release the
     block of the dead, whatever it names, then mend hints), new processes for ports that are free (as many as were killed).
   - killed and stopped for ever: at every step that writes.

   WHAT IS NOT MODELLED: that blocks change hands on the way (swap_ring.pml; who has one releases it), waiting for room (parking.pml),
   extents that get their memory together. A block that finds no room or no memory is left without.

   MUTANTS: -DMUTANT_... takes one necessary part out; each must make spin find an error. VARIANTS are not necessary. */

#ifndef BLOCKS
#define BLOCKS 2 /* and processes, one each */
#endif
#ifndef SMALL
#define SMALL 2 /* extents of 1 byte: the first */
#endif
#ifndef LARGE
#define LARGE 0 /* extents of 3 bytes */
#endif
#ifndef MAX_BYTES
#define MAX_BYTES 3
#endif
#ifndef ROUNDS
#define ROUNDS 1 /* puts of each process */
#endif
#ifndef RECLAIMS
#define RECLAIMS 0
#endif
#ifndef DEATHS
#define DEATHS 0
#endif
#ifndef STOPS
#define STOPS 0
#endif

#define AGENT BLOCKS
#define EXTENTS (SMALL + LARGE)
#define BYTES(extent) ((extent) < SMALL -> 1 : 3)
#define NAMED_BYTES(block) (name[block] == 0 -> 0 : BYTES(name[block] - 1))
#define OUT_OF_REACH (largest * BLOCKS <= MAX_BYTES)

#define NO_MEMORY 0
#define FREE 1
#define OF_BLOCK 2 /* + block */
byte owner[EXTENTS];
bit hint[EXTENTS];
byte name[BLOCKS]; /* extent + 1 */
byte largest;      /* bytes */

#define RUNNING 0
#define DEAD 1
#define STOPPED 2
#define BURIED 3
byte status[BLOCKS];
byte deaths, stops;
byte user[EXTENTS]; /* block + 1 that writes or reads there */
bit admitted[BLOCKS];

#if DEATHS > 0
#define OR_DIE :: d_step { me != AGENT && deaths < DEATHS -> deaths++; status[me] = DEAD; FORGET } goto halted
#else
#define OR_DIE
#endif
#if STOPS > 0
#define OR_STOP :: d_step { me != AGENT && stops < STOPS -> stops++; status[me] = STOPPED; FORGET } goto halted
#else
#define OR_STOP
#endif
#define FORGET extent = 0; wanted = 0; sum = 0; i = 0; freed = 0; last = 0
#define STEP(action) if :: d_step { action } OR_DIE OR_STOP fi

inline add_up() {
  i = 0; sum = 0;
  do
  :: i < BLOCKS -> atomic { sum = sum + NAMED_BYTES(i); i++ }
  :: else -> break
  od;
  i = 0
}

#ifdef MUTANT_NAME_BELIEVED
#define IS_OWNED_BY(block) (owner[extent] >= OF_BLOCK)
#else
#define IS_OWNED_BY(block) (owner[extent] == OF_BLOCK + block)
#endif
/* By the block's owner, or by the agent for a dead one. */
inline release(block) {
#ifdef MUTANT_FORGET_FIRST
  STEP(extent = name[block] - 1; name[block] = 0);
#else
  extent = name[block] - 1;
#endif
#ifdef MUTANT_EARLY_HINT
  STEP(hint[extent] = 1);
#endif
  STEP(
    if
    :: IS_OWNED_BY(block) ->
      assert(user[extent] == block + 1);
      owner[extent] = FREE; user[extent] = 0; admitted[block] = 0; freed = 1
    :: else
    fi
  );
#ifndef MUTANT_EARLY_HINT
  if
  :: freed && !hint[extent] -> STEP(hint[extent] = 1)
  :: else
  fi;
#endif
#ifndef MUTANT_FORGET_FIRST
  STEP(name[block] = 0);
#endif
  freed = 0; extent = 0
}

#define OR_TRY(number) \
  :: d_step { BYTES(number) == wanted && hint[number] -> hint[number] = 0; extent = number } goto claim \
  :: d_step { BYTES(number) == wanted && last == number + 1 -> last = 0; extent = number } goto claim

proctype Process(byte me) {
  byte rounds, wanted, extent, i, sum, last;
  bit freed;
put:
  if
  :: rounds == ROUNDS -> goto finished
  :: rounds < ROUNDS && SMALL > 0 -> wanted = 1
  :: rounds < ROUNDS && LARGE > 0 -> wanted = 3
  fi;
  rounds++;
#if !defined(MUTANT_LATE_LARGEST) && !defined(VARIANT_LATE_LARGEST)
  STEP(largest = (largest < wanted -> wanted : largest));
#endif
  if
  :: OUT_OF_REACH
  :: else ->
    add_up();
    if
    :: sum != 0 && sum + wanted > MAX_BYTES -> goto turned_back
    :: else -> sum = 0
    fi
  fi;

search:
  if
  OR_TRY(0)
#if SMALL + LARGE > 1
  OR_TRY(1)
#endif
#if SMALL + LARGE > 2
  OR_TRY(2)
#endif
  :: else -> goto ask
  fi;

claim:
#ifndef MUTANT_CLAIM_FIRST
  STEP(name[me] = extent + 1);
#endif
  if
  :: d_step {
    owner[extent] == FREE ->
    owner[extent] = OF_BLOCK + me;
    assert(user[extent] == 0);
    user[extent] = me + 1
  }
  :: owner[extent] != FREE -> extent = 0; goto search
  OR_DIE
  OR_STOP
  fi;
#ifdef MUTANT_CLAIM_FIRST
  STEP(name[me] = extent + 1);
#endif
#ifdef VARIANT_LATE_LARGEST
  STEP(largest = (largest < wanted -> wanted : largest));
#endif
#ifndef MUTANT_SUM_FIRST
  if
  :: OUT_OF_REACH
  :: else ->
    add_up();
    if
    :: sum == wanted || sum <= MAX_BYTES -> sum = 0
    :: else -> goto over
    fi
  fi;
#endif
#ifdef MUTANT_LATE_LARGEST
  STEP(largest = (largest < wanted -> wanted : largest));
#endif
  atomic {
    admitted[me] = 1;
    do
    :: i < BLOCKS ->
      sum = sum + (admitted[i] -> NAMED_BYTES(i) : 0);
      freed = freed || (admitted[i] && i != me);
      i++
    :: else -> break
    od;
    assert(sum <= MAX_BYTES || !freed);
    i = 0; sum = 0; freed = 0
  }
over:
  atomic { sum = 0; last = extent + 1 }
  release(me);
turned_back:
  atomic { wanted = 0; sum = 0; i = 0; goto put }

ask: /* the agent, which answers in one step here */
  STEP(name[me] = 0);
  if
  :: d_step {
    freed = 0;
    do
    :: i < EXTENTS ->
      if
      :: BYTES(i) == wanted && owner[i] == FREE -> hint[i] = 1; freed = 1
      :: else
      fi;
      i++
    :: else -> break
    od;
    do
    :: freed || i == 0 -> break
    :: !freed && i > 0 ->
      i--;
      if
      :: BYTES(i) == wanted && owner[i] == NO_MEMORY -> owner[i] = FREE; hint[i] = 1; freed = 1
      :: else
      fi
    od;
    i = 0
  }
  OR_DIE
  OR_STOP
  fi;
  if
  :: freed -> atomic { freed = 0; goto search }
  :: else -> goto turned_back
  fi;

finished:
  atomic { FORGET; rounds = 0; goto end }
halted:
  rounds = 0;
end_halted:
  atomic { status[me] == BURIED -> status[me] = RUNNING; goto put } /* a new process with the port */
end:
  skip
}

#define OR_BURY(number) :: d_step { status[number] == DEAD -> dead = number } goto bury
#if RECLAIMS > 0
#ifdef MUTANT_BLIND_RECLAIM
#define OR_RECLAIM(number) :: d_step { reclaims < RECLAIMS && owner[number] == FREE -> reclaims++ } owner[number] = NO_MEMORY; assert(user[number] == 0)
#else
#define OR_RECLAIM(number) :: d_step { reclaims < RECLAIMS && owner[number] == FREE -> reclaims++; owner[number] = NO_MEMORY; assert(user[number] == 0) }
#endif
#else
#define OR_RECLAIM(number)
#endif

proctype Agent() {
  byte me = AGENT, extent, i, dead, reclaims, wanted, sum, last;
  bit freed;
next:
  if
#if DEATHS > 0
  OR_BURY(0)
  OR_BURY(1)
#if BLOCKS > 2
  OR_BURY(2)
#endif
#endif
  OR_RECLAIM(0)
#if SMALL + LARGE > 1
  OR_RECLAIM(1)
#endif
  :: timeout -> goto end
  fi;
  goto next;

#if DEATHS > 0
bury:
  if
  :: name[dead] != 0 -> release(dead)
  :: else
  fi;
#ifndef MUTANT_HINTS_NOT_MENDED
  do
  :: i < EXTENTS -> atomic { hint[i] = hint[i] || owner[i] == FREE; i++ }
  :: else -> break
  od;
#endif
  atomic { i = 0; status[dead] = BURIED; dead = 0; goto next }
#endif

end:
  atomic {
    do
    :: i < EXTENTS ->
      assert(user[i] == 0 || (owner[i] == OF_BLOCK + user[i] - 1 && name[user[i] - 1] == i + 1 && status[user[i] - 1] == STOPPED));
      assert(owner[i] < OF_BLOCK || user[i] != 0);
      assert(owner[i] != FREE || hint[i] || stops > 0);
      i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < BLOCKS -> assert(name[i] == 0 || status[i] == STOPPED); i++
    :: else -> break
    od
  }
halted:
  skip
}

init {
  byte n;
  atomic {
    do
    :: n < BLOCKS -> run Process(n); n++
    :: else -> break
    od;
    n = 0;
    run Agent()
  }
}
