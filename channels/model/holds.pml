/* A model of how long an object lives: holds, messages that carry its handle, and the agent that retires it.

   WHAT IS CLAIMED (each is an assertion here)
   1. An object is never retired while a process holds it or an unread message names it, and nobody gets to hold it afterwards.
   2. In the end, when nobody holds it and no message names it, it is retired.

   WHAT IS MODELLED
   - One object. A bit of each process's hold, the state {changes, retired}, the flag that it was ever carried, and a bit of each
     block (its list names the object) are one atomic word each; one step is one access.
   - add_hold: bit, then count the change; a phase that is not alive takes the bit back. drop_hold, then tell the agent.
   - A holder sends the handle: flag, list, put; and may leave right after the put. A receiver holds the object, if it does not
     hold it already, and then clears the list; or clears it at once, when it does not want the message.
   - Openings of somebody who knows the object without a message (OPENS), which may find it gone.
   - The agent: state, holds one by one, the flag, blocks one by one, compare-and-swap; told by who leaves, after each burial,
     and again later if a message named the object.
   - killed: at every step that writes. The agent clears the list of the block that a dead process had, drops its hold and looks.

   WHAT IS NOT MODELLED: stops (a hold of the stopped is a hold, and whoever stops between dropping and telling delays the
   end until its process goes), the carrying queue (it lives; a block is free, somebody's, or has the message), and entries used again
   for other objects.

   MUTANTS: -DMUTANT_... takes one necessary part out; each must make spin find an error. */

#ifndef PROCESSES
#define PROCESSES 2 /* at most 3; the first holds the object */
#endif
#ifndef BLOCKS
#define BLOCKS 1 /* at most 2 */
#endif
#ifndef SENDS
#define SENDS 1 /* in all, at most */
#endif
#ifndef OPENS
#define OPENS 0
#endif
#ifndef DEATHS
#define DEATHS 0
#endif

bit bits[PROCESSES];
byte state = 0; /* {changes, retired} */
#define IS_RETIRED (state & 1)
bit carried;
bit list[BLOCKS];
byte block[BLOCKS]; /* FREE, FULL, or whose it is + PRIVATE */
#define FREE 0
#define FULL 1
#define PRIVATE 2
bit told;

#define RUNNING 0
#define DEAD 1
#define BURIED 2
byte status[PROCESSES];
bit holds[PROCESSES]; /* what the process knows: its add_hold was right */
byte sends, opens, deaths;

#if DEATHS > 0
#define OR_DIE :: d_step { deaths < DEATHS -> deaths++; status[me] = DEAD; holds[me] = 0; mine = 0 } goto halted
#else
#define OR_DIE
#endif
#define STEP(action) if :: d_step { action } OR_DIE fi

#ifdef MUTANT_COUNT_FIRST
#define ADD_HOLD \
  STEP(state = state + 2; gone = IS_RETIRED); \
  STEP(bits[me] = 1)
#elif defined(MUTANT_NO_COUNT)
#define ADD_HOLD \
  STEP(bits[me] = 1); \
  gone = IS_RETIRED
#else
#define ADD_HOLD \
  STEP(bits[me] = 1); \
  STEP(state = state + 2; gone = IS_RETIRED)
#endif
inline add_hold() {
  ADD_HOLD;
  if
  :: gone -> STEP(bits[me] = 0); gone = 0
  :: else -> atomic { assert(!IS_RETIRED); holds[me] = 1 }
  fi
}

#define OR_SEND(number) :: d_step { holds[me] && sends < SENDS && block[number] == FREE -> sends++; block[number] = PRIVATE + me; mine = number } goto send
#define OR_RECEIVE(number) :: d_step { block[number] == FULL -> block[number] = PRIVATE + me; mine = number } goto receive

proctype Process(byte me) {
  byte mine;
  bit gone;
end_idle:
  if
  OR_SEND(0)
  OR_RECEIVE(0)
#if BLOCKS > 1
  OR_SEND(1)
  OR_RECEIVE(1)
#endif
  :: d_step { !holds[me] && opens < OPENS -> opens++ } goto open
  :: holds[me] -> goto leave
  OR_DIE
  fi;

send:
#ifdef MUTANT_LATE_FLAG
  STEP(list[mine] = 1);
  STEP(block[mine] = FULL);
  STEP(carried = 1);
#elif defined(MUTANT_LEAVE_FIRST)
  STEP(carried = 1);
  STEP(bits[me] = 0; holds[me] = 0);
  STEP(told = 1);
  STEP(list[mine] = 1);
  STEP(block[mine] = FULL);
#else
  STEP(carried = 1);
  STEP(list[mine] = 1);
  STEP(block[mine] = FULL);
#endif
  atomic { mine = 0; goto end_idle }

receive:
  assert(!IS_RETIRED);
  if
  :: !holds[me] ->
#ifdef MUTANT_LIST_CLEARED_FIRST
    STEP(list[mine] = 0);
#endif
    add_hold();
    assert(holds[me])
  :: true
  fi;
  STEP(list[mine] = 0);
  STEP(block[mine] = FREE; mine = 0);
  goto end_idle;

open:
  add_hold();
  goto end_idle;

leave:
  STEP(bits[me] = 0; holds[me] = 0);
  STEP(told = 1);
  goto end_idle;

halted:
  skip
}

#define LOOK_AT_HOLDS \
  do \
  :: n < PROCESSES && bits[n] -> goto used \
  :: n < PROCESSES && !bits[n] -> n++ \
  :: n == PROCESSES -> n = 0; break \
  od
#define LOOK_AT_MESSAGES \
  if \
  :: carried -> \
    do \
    :: n < BLOCKS && list[n] -> named = 1; goto used \
    :: n < BLOCKS && !list[n] -> n++ \
    :: n == BLOCKS -> n = 0; break \
    od \
  :: else \
  fi
#define OR_BURY(number) :: d_step { status[number] == DEAD -> dead = number } goto bury

proctype Agent() {
  byte seen, n, dead;
  bit named;   /* by a message, when the agent looked last: it looks again in a while */
next:
  if
#if DEATHS > 0
  OR_BURY(0)
  OR_BURY(1)
#if PROCESSES > 2
  OR_BURY(2)
#endif
#endif
  :: d_step { told -> told = 0 }
  :: timeout ->
    if
    :: atomic { named && !IS_RETIRED }
#ifdef MUTANT_LOOKS_ONCE
      goto end
#endif
    :: else -> goto end
    fi
  fi;

retire:
#ifndef MUTANT_STATE_LAST
  atomic { seen = state; named = 0 }
#endif
#ifndef MUTANT_MESSAGES_FIRST
  LOOK_AT_HOLDS;
  LOOK_AT_MESSAGES;
#else
  LOOK_AT_MESSAGES;
  LOOK_AT_HOLDS;
#endif
#ifdef MUTANT_STATE_LAST
  seen = state;
#endif
  atomic {
    if
    :: state == seen && !IS_RETIRED ->
      state++;
      do
      :: n < PROCESSES -> assert(!holds[n]); n++
      :: else -> break
      od;
      n = 0;
      do
      :: n < BLOCKS -> assert(block[n] != FULL); n++
      :: else -> break
      od;
      n = 0
    :: else
    fi;
    seen = 0
  }
  goto next;

#if DEATHS > 0
bury:
  do
  :: n < BLOCKS ->
    if
    :: block[n] == PRIVATE + dead -> list[n] = 0; block[n] = FREE
    :: else
    fi;
    n++
  :: else -> break
  od;
  bits[dead] = 0;
  atomic { n = 0; status[dead] = BURIED; dead = 0; goto retire }
#endif

used:
  atomic { n = 0; seen = 0; goto next }

end:
  atomic {
    n = 0;
    do
    :: n < PROCESSES && holds[n] -> break
    :: n < PROCESSES && !holds[n] -> n++
    :: n == PROCESSES ->
      n = 0;
      do
      :: n < BLOCKS && block[n] == FULL -> break
      :: n < BLOCKS && block[n] != FULL -> assert(!list[n]); n++
      :: n == BLOCKS -> assert(IS_RETIRED); break
      od;
      break
    od
  }
}

init {
  byte n;
  atomic {
    holds[0] = 1;
    bits[0] = 1;
    do
    :: n < PROCESSES -> run Process(n); n++
    :: else -> break
    od;
    n = 0;
    run Agent()
  }
}
