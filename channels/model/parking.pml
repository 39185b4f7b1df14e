/* A model of sleeping and waking: parkers, waiter sets, and who wakes whom when wakers and sleepers leave, die or stop.

   WHAT IS CLAIMED (each is an assertion here)
   1. Nobody who is alive and running sleeps for ever while there is something for it, or after it was asked to stop.
   2. Without stops nobody depends on the agent's periodic sweep; with STOPS stopped processes, few sweeps help everybody.

   WHAT IS MODELLED
   - A parker's state (with its interest), a queue's word of registrations, its summary and the number of its messages are one
     atomic word each; one step is one access. A futex is its own step: a thread is in it only if its word was ASLEEP then.
   - put: message, then look at summary, word, state; claim; futex wake; second look at the registration. A waker may go
     through the sleepers in any order (`next` is a hint).
   - get: take, or register (word, then summary), ASLEEP, look again, park, AWAKE; leave: registration, then AWAKE. A claim
     that was noticed is an obligation: who has taken something, or leaves without, wakes one other if there is still something.
   - Calls of a consumer go to the queues in turn, so a waker may claim it when it sleeps for another queue.
   - Calls time out (TIMEOUTS) or are asked to stop (ASKED) at any moment after. Who asks is a thread of the same process: it
     does not die or stop alone.
   - The agent: tidy() at any moment (TIDIES), burial (parker, registrations, wakes, sweep), and a sweep when nothing else moves.
   - killed and stopped for ever: at every step that writes or waits.

   WHAT IS NOT MODELLED: room and payload memory (the same with other conditions), close (wake all), several words of a set, parkers
   that get new owners (to wakers the same as an owner that sleeps for something else). The ring is a count of messages.

   MUTANTS: -DMUTANT_... takes one necessary part out; each must make spin find an error. VARIANTS change what turned out not to
   be necessary. */

#ifndef CONSUMERS
#define CONSUMERS 2
#endif
#ifndef PRODUCERS
#define PRODUCERS 1
#endif
#ifndef MESSAGES
#define MESSAGES 1 /* per producer */
#endif
#ifndef BATCH
#define BATCH 0 /* all of a producer's messages, then as many wakes */
#endif
#ifndef CALLS
#define CALLS 1 /* of each consumer */
#endif
#ifndef QUEUES
#define QUEUES 1
#endif
#ifndef TIMEOUTS
#define TIMEOUTS 0 /* calls, at most */
#endif
#ifndef ASKED
#define ASKED 0 /* consumer 0 is asked to stop */
#endif
#ifndef TIDIES
#define TIDIES 0
#endif
#ifndef DEATHS
#define DEATHS 0
#endif
#ifndef STOPS
#define STOPS 0
#endif

#define PROCESSES (CONSUMERS + PRODUCERS)
#define AGENT PROCESSES
#define BIT(parker) (1 << (parker))

#define AWAKE 0
#define ASLEEP 1
#define NOTIFIED 2
byte state[CONSUMERS], interest[CONSUMERS];
bit in_futex[CONSUMERS];
byte messages[QUEUES], word[QUEUES];
bit summary[QUEUES];
bit asked;

#define RUNNING 0
#define DEAD 1
#define BURIED 2
#define STOPPED 3
#define FINISHED 4
byte status[PROCESSES + 1];
byte deaths, stops, timeouts;

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
#define OR_HALT OR_DIE OR_STOP
#define FORGET waiting = 0; who = 0; left = 0; owed = 0; q = 0
#define STEP(action) if :: d_step { action } OR_HALT fi

/* The look at the set, then for each sleeper in it: claim, futex wake, second look. */
#ifdef MUTANT_NO_SECOND_LOOK
#define IS_STILL_HERE(parker) 1
#else
#define IS_STILL_HERE(parker) ((word[q] >> (parker)) & 1) /* if not, it sleeps for something else and does not pass our wake on */
#endif
#define OR_CLAIM(parker) \
  :: d_step { \
    who == 0 && left > 0 && (waiting & BIT(parker)) -> \
    waiting = waiting & ~BIT(parker); \
    if \
    :: state[parker] == ASLEEP -> state[parker] = NOTIFIED; who = parker + 1 \
    :: else \
    fi \
  }
inline wake(count) {
  if
  :: summary[q] == 0
  :: atomic { summary[q] != 0 -> waiting = word[q]; left = count }
    do
    OR_CLAIM(0)
    OR_CLAIM(1)
#if CONSUMERS > 2
    OR_CLAIM(2)
#endif
    :: who != 0 ->
      STEP(in_futex[who - 1] = 0);
      atomic { left = left - IS_STILL_HERE(who - 1); who = 0 }
    :: who == 0 && (left == 0 || waiting == 0) -> break
    OR_HALT
    od;
    atomic { waiting = 0; left = 0 }
  fi
}

proctype Producer(byte me) {
  byte sent, q, waiting, who, left;
  bit owed;
  do
  :: sent < MESSAGES ->
    q = (me + sent) % QUEUES;
#ifdef MUTANT_EARLY_LOOK
    owed = summary[q];
#else
    owed = 1;
#endif
    STEP(sent++; messages[q]++);
    if
    :: BATCH && sent < MESSAGES
    :: owed && !(BATCH && sent < MESSAGES) -> wake((BATCH -> MESSAGES : 1))
    :: else
    fi
  :: else -> break
  od;
  atomic { status[me] = FINISHED; FORGET; sent = 0 }
halted:
  skip
}

#define IS_ASKED (ASKED && me == 0 && asked)
#define OR_PASS(action) :: d_step { (IS_ASKED || timeouts < TIMEOUTS) -> timeouts = timeouts + !IS_ASKED; passed = 1; action }

proctype Consumer(byte me) {
  byte calls, q, waiting, who, left;
  bit owed, passed, ready;
call:
  if
  :: d_step { messages[q] > 0 -> messages[q]-- } goto done
  :: messages[q] == 0 && passed -> goto done
  :: messages[q] == 0 && !passed
  OR_HALT
  fi;
  STEP(word[q] = word[q] | BIT(me));
  if
  :: summary[q] == 0 -> STEP(summary[q] = 1)
  :: else
  fi;

again:
  STEP(interest[me] = q; state[me] = ASLEEP);
#ifndef MUTANT_NO_RECHECK
  if
  :: messages[q] > 0 -> atomic { ready = 1; goto leave }
  :: messages[q] == 0 && (passed || IS_ASKED) -> atomic { passed = 1; goto leave }
  :: else
  fi;
#else
  if
  :: passed -> goto leave
  :: else
  fi;
#endif

park:
  if
  :: d_step { state[me] == ASLEEP -> in_futex[me] = 1 }
end_asleep:
    if
    :: !in_futex[me] -> goto park
    OR_PASS(in_futex[me] = 0)
    OR_HALT
    fi
  :: state[me] != ASLEEP
  fi;
  STEP(owed = owed | (state[me] == NOTIFIED); state[me] = AWAKE);
#ifdef MUTANT_NO_RECHECK
  if
  :: owed -> ready = 1
  :: else -> goto again
  fi;
#else
  goto again;
#endif

leave:
#ifdef VARIANT_LATE_REMOVE
  STEP(owed = owed | (state[me] == NOTIFIED); state[me] = AWAKE);
#endif
#ifndef MUTANT_NO_REMOVE
  STEP(word[q] = word[q] & ~BIT(me));
#endif
#ifdef MUTANT_OWNER_CLEARS
  if
  :: word[q] == 0 -> STEP(summary[q] = 0)
  :: else
  fi;
#endif
#ifndef VARIANT_LATE_REMOVE
  STEP(owed = owed | (state[me] == NOTIFIED); state[me] = AWAKE);
#endif
  if
  :: atomic { ready -> ready = 0 } goto call
  :: else
  fi;

done: /* with a message, or without since the limit has passed */
#ifndef MUTANT_NO_PASSING_ON
  if
  :: owed && messages[q] > 0 -> wake(1)
  :: else
  fi;
#endif
  atomic {
    owed = 0; passed = 0; ready = 0;
    calls++;
    q = calls % QUEUES;
    if
    :: IS_ASKED || calls == CALLS -> status[me] = FINISHED
    :: else -> goto call
    fi
  }
halted:
  atomic { calls = 0; passed = 0; ready = 0 }
}

#if ASKED
proctype Asker() { /* the callback of the stop token: a waker without a queue */
  asked = 1;
  if
  :: d_step { state[0] == ASLEEP && status[0] == RUNNING -> state[0] = NOTIFIED }
    in_futex[0] = 0
  :: else
  fi
}
#endif

#define OR_BURY(number) :: d_step { status[number] == DEAD -> dead = number } goto bury

proctype Agent() {
  byte me = AGENT, q, waiting, who, left, dead, n, tidies, helped;
  bit owed, is_needed;
next:
  if
#if DEATHS > 0
  OR_BURY(0)
  OR_BURY(1)
#if CONSUMERS + PRODUCERS > 2
  OR_BURY(2)
#endif
#if CONSUMERS + PRODUCERS > 3
  OR_BURY(3)
#endif
#endif
#if TIDIES > 0
  :: d_step { tidies < TIDIES -> tidies++ } goto tidy
#endif
  :: timeout -> goto nothing_moves
  fi;

#if TIDIES > 0
tidy:
  do
  :: q < QUEUES ->
    if
    :: summary[q] && word[q] == 0 ->
      summary[q] = 0;
#ifndef MUTANT_TIDY_LOOKS_ONCE
      if
      :: word[q] != 0 ->
        summary[q] = 1;
        if
        :: messages[q] > 0 -> wake(1)
        :: else
        fi
      :: else
      fi
#endif
    :: else
    fi;
    q++
  :: else -> break
  od;
  q = 0;
  goto next;
#endif

#if DEATHS > 0
bury:
  if
  :: dead < CONSUMERS ->
    d_step { state[dead] = AWAKE; in_futex[dead] = 0 }
    do
    :: q < QUEUES -> word[q] = word[q] & ~BIT(dead); q++
    :: else -> break
    od;
    q = 0
  :: else
  fi;
#if !defined(MUTANT_NO_BURIAL_WAKES) && !defined(VARIANT_NO_WAKE_FOR_THE_DEAD)
  do
  :: q < QUEUES ->
    if
    :: messages[q] > 0 -> wake(1)
    :: else
    fi;
    q++
  :: else -> break
  od;
  q = 0;
#endif
  atomic { status[dead] = BURIED; dead = 0 }
#if defined(MUTANT_NO_BURIAL_WAKES) || defined(MUTANT_NO_SWEEP_AT_BURIAL)
  goto next;
#endif
#endif
sweep:
  do
  :: n < CONSUMERS ->
    if
    :: state[n] == NOTIFIED -> in_futex[n] = 0
    :: state[n] == ASLEEP ->
      if
      :: messages[interest[n]] > 0 -> d_step {
          if
          :: state[n] == ASLEEP -> state[n] = NOTIFIED
          :: else
          fi
        }
        in_futex[n] = 0
      :: else
      fi
    :: else
    fi;
    n++
  :: else -> break
  od;
  n = 0;
  goto next;

nothing_moves:
  skip;
  d_step {
    is_needed = 0;
    do
    :: n < CONSUMERS ->
      is_needed = is_needed || (status[n] == RUNNING && (messages[interest[n]] > 0 || (ASKED && asked && n == 0) || !in_futex[n] ||
                                                         state[n] == NOTIFIED));
      n++
    :: else -> break
    od;
    n = 0;
    assert(!is_needed || (stops > 0 && helped < 2 * STOPS))
  }
  if
  :: is_needed ->
#ifdef MUTANT_NO_SWEEP
    assert(0);
#endif
    d_step { is_needed = 0; helped++ }
    goto sweep
  :: else
  fi;
halted:
  skip
}

init {
  byte n;
  atomic {
    do
    :: n < CONSUMERS -> run Consumer(n); n++
    :: n >= CONSUMERS && n < PROCESSES -> run Producer(n); n++
    :: else -> break
    od;
    n = 0;
#if ASKED
    run Asker();
#endif
    run Agent()
  }
}
