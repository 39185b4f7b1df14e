/* A model of leases and of what counts messages as done: lease, done, give back, take over, task_done, join, dead letters,
   and what the agent does with the ports of the dead.

   WHAT IS CLAIMED (each is an assertion here)
   1. A message is with one holder at a time. Its holder alone can say done(), and then nobody gets it again. A plain get
      gets a message at most once.
   2. A lease that is given back, or whose holder is killed, puts the message back exactly once, with its delivery count
      raised by exactly one. While a consumer is alive and running, it is delivered again.
   3. lease() on a closed queue ends only when every message is done, lost or moved to the dead letters, and it does end
      then: nobody is left asleep.
   4. join() returns when everything that was put is done, lost or a dead letter, not earlier and not never, and the number
      of lost messages that it returns is exact: the plain gets of the dead that had no task_done.
   5. In the end every block is in exactly one place.
   6. Without deaths and stops the agent's sweep is never needed.

   WHAT IS MODELLED
   - The owner, spare, finished, intent and moved words of a port and the hint `given_back` are one atomic word each; one
     step is one access to shared memory. A process may be killed or stopped for ever at every step that writes or waits.
   - The agent: the journal of merges, then settling, then giving back or counting as lost, port by port, step by step;
     its sweep, at any moment (SWEEPS times) and when nothing else moves; dead letters at any moment.
   - The ending of lease(): intent, then spare, then the dones of each port. An operation in flight counts as a lease only if
     the agent's rule says that it took effect: after the CLOSED slot no other can any more.
   - The ring is reduced to what matters here: a slot for each message, used once; a get or lease is one compare-and-swap
     on the first slot that is not over. That the agent's rule finds out whether that took place is what swap_ring.pml
     shows; here the look at the slot is enough, since no putter takes the block away again.
   - A put is one step. A process is one thread: what a process does with the counts of several ports is under its mutex.
   - Sleeping: who finds nothing waits for the hint, a slot or the closing flag to change; who finds a closed queue with
     leases outstanding waits to be woken, so a wake-up that nobody sends shows as an error. parking.pml has the rest.

   MUTANTS: -DMUTANT_... takes one necessary part out; each must make spin find an error. VARIANT_IN_FLIGHT_COUNTS is another
   way: any lease in flight counts as outstanding, and who fails to lease wakes; so one that is stopped there is waited for. */

#ifndef MESSAGES
#define MESSAGES 1
#endif
#ifndef LATE
#define LATE 0 /* so many of them are put while the others run; the rest is there from the start */
#endif
#ifndef LEASERS
#define LEASERS 2 /* processes that lease */
#endif
#ifndef GETTERS
#define GETTERS 0 /* processes that get and then say task_done */
#endif
#ifndef GIVE_BACKS
#define GIVE_BACKS 0 /* by living holders, at most */
#endif
#ifndef MAX_DELIVERIES
#define MAX_DELIVERIES 0 /* 0: no limit */
#endif
#ifndef CLOSE
#define CLOSE 0
#endif
#ifndef JOIN
#define JOIN 0
#endif
#ifndef MERGE
#define MERGE 0 /* a getter moves its counts to one port */
#endif
#ifndef BOTH
#define BOTH 0 /* getters lease as well, as they like */
#endif
#define DELAYED (MERGE || BOTH) /* getters may put off task_done */
#ifndef DEATHS
#define DEATHS 0
#endif
#ifndef STOPS
#define STOPS 0
#endif
#ifndef SWEEPS
#define SWEEPS 0
#endif

#define PROCESSES (LEASERS + GETTERS)
#define IS_GETTER(process) ((process) >= LEASERS)
#define PORTS (PROCESSES + MESSAGES)
#define SLOTS (MESSAGES + 1)
#define BLOCKS (SLOTS + PORTS) /* at most 16 */
#define NOBODY 15
#define AGENT 7

/* Owner {deliveries, process, state}. Generations are left out: a take-over that meets the same word again is right again. */
#define FREE 0
#define OWNED 1
#define GIVEN_BACK 2
#define OWNER(state, process, deliveries) ((deliveries) * 32 + (process) * 4 + (state))
#define PORT_STATE(owner) ((owner) % 4)
#define PROCESS(owner) (((owner) / 4) % 8)
#define DELIVERIES(owner) ((owner) / 32)
#define IS_OF(process, port) (owner[port] % 32 == OWNER(OWNED, process, 0))

/* Spare {gets, leased, block}; finished {lost, dones}; moved {to port + 1, its gets before}. */
#define SPARE(gets, leased, block) ((gets) * 32 + (leased) * 16 + (block))
#define GETS(spare) ((spare) / 32)
#define LEASED(spare) (((spare) / 16) % 2)
#define BLOCK(word) ((word) % 16)
#define DONES(finished) ((finished) % 16)
#define LOST(finished) ((finished) / 16)
#define MOVED(to, gets) (((to) + 1) * 16 + (gets))
#define MOVED_TO(moved) ((moved) / 16 - 1)
#define GETS_BEFORE(moved) ((moved) % 16)
#define OUTSTANDING(port) (GETS(spare[port]) - DONES(finished[port]))

/* Slot {state, block}: EMPTY as it was at the start, FULL, OVER (EMPTY for the next lap), CLOSED. */
#define EMPTY 0
#define FULL 1
#define OVER 2
#define CLOSED 3
#define SLOT(state, block) ((state) * 16 + (block))
#define SLOT_STATE(slot) ((slot) / 16)

/* Intent {kind, ticket, block}; none is 0. */
#define GET 1
#define LEASE 2
#define INTENT(kind, ticket, block) ((ticket) * 64 + (kind) * 16 + (block))
#define KIND(intent) (((intent) / 16) % 4)
#define TICKET(intent) ((intent) / 64)
#define IN_FLIGHT(intent, spare) (KIND(intent) != 0 && BLOCK(intent) != BLOCK(spare))
#define TOOK_EFFECT(intent, spare) (slot[TICKET(intent)] == SLOT(OVER, BLOCK(spare)))

/* ---- shared memory ---- */
byte slot[SLOTS];
byte owner[PORTS];
short spare[PORTS];
short intent[PORTS];
byte finished[PORTS];
byte moved[PORTS];
byte given_back;   /* {changes, some} */
bit closing;
#define SOME(hint) ((hint) % 2)
#define RAISE_HINT given_back = (given_back / 2 + 1) * 2 + 1

/* ---- bookkeeping of the model ---- */
#define RUNNING 0
#define DEAD 1
#define BURIED 2
#define STOPPED 3
#define FINISHED 4
byte status[PROCESSES];
byte deaths, stops, sweeps, give_backs;
#define UNSENT 0
#define QUEUED 1
#define HELD 2 /* leased, or given back */
#define GOT 3
#define DONE 4
#define DEAD_LETTER 5
byte fate[MESSAGES];       /* message m is in block m */
byte holder[MESSAGES];
byte deliveries[MESSAGES]; /* how often it was put back, as it should be */
byte unreported[PROCESSES]; /* plain gets without task_done */
byte lost;                 /* as it should be */
byte puts, over;           /* over: done, lost, dead letters */
bit wants_end[PROCESSES], woken[PROCESSES];
bit joined;

#ifdef MUTANT_TICKETS_FIRST
bit was_over; /* at some moment since the join began */
#define ADD_OVER(number) over = over + number; was_over = was_over || over == puts
#else
#define ADD_OVER(number) over = over + number
#endif

#define WAKE_ENDING \
  n = 0; \
  do \
  :: n < PROCESSES -> woken[n] = wants_end[n] || woken[n]; n++ \
  :: else -> break \
  od; \
  n = 0

#define ACCOUNT_FOR_DEATH \
  lost = lost + unreported[me]; \
  unreported[me] = 0; \
  n = 0; \
  do \
  :: n < MESSAGES -> \
    if \
    :: holder[n] == me && fate[n] == HELD -> deliveries[n]++ \
    :: else \
    fi; \
    n++ \
  :: else -> break \
  od; \
  n = 0
#define FORGET seen = 0; hint = 0; its_intent = 0; its_spare = 0; word = 0; ticket = 0; i = 0; n = 0; wants_end[me] = 0; woken[me] = 0

#if DEATHS > 0
#define OR_DIE :: d_step { deaths < DEATHS -> deaths++; status[me] = DEAD; ACCOUNT_FOR_DEATH; FORGET; port = NOBODY; kind = 0; failed = 0 } goto halted
#else
#define OR_DIE
#endif
#if STOPS > 0
#define OR_STOP :: d_step { stops < STOPS -> stops++; status[me] = STOPPED; FORGET; port = NOBODY; kind = 0; failed = 0 } goto halted
#else
#define OR_STOP
#endif
#define OR_HALT OR_DIE OR_STOP
#define STEP(action) if :: d_step { action } OR_HALT fi

#if MAX_DELIVERIES > 0
#define MAY_BE_TAKEN(owner) (PORT_STATE(owner) == GIVEN_BACK && DELIVERIES(owner) < MAX_DELIVERIES)
#define IS_DEAD_LETTER(owner) (PORT_STATE(owner) == GIVEN_BACK && DELIVERIES(owner) >= MAX_DELIVERIES)
#else
#define MAY_BE_TAKEN(owner) (PORT_STATE(owner) == GIVEN_BACK)
#define IS_DEAD_LETTER(owner) false
#endif

/* Whether this process may use port n for what it is about to do, as it is or by claiming it. */
#define IS_IDLE(n) \
  (PORT_STATE(owner[n]) == FREE || (IS_OF(me, n) && !LEASED(spare[n])))
#ifdef MUTANT_UNBALANCED_LEASE
#define IS_SUITABLE(n) IS_IDLE(n)
#elif MERGE
#define IS_SUITABLE(n) (IS_IDLE(n) && OUTSTANDING(n) == 0)
#else
#define IS_SUITABLE(n) (IS_IDLE(n) && (kind == GET || OUTSTANDING(n) == 0))
#endif

/* After a lease or task_done: the delivery count of the next message is 0, and a process keeps one idle port at most. */
inline leave_port() {
  STEP(
    n = 0;
    do
    :: n < PORTS && !(n != port && IS_OF(me, n) && !LEASED(spare[n]) && OUTSTANDING(n) == 0) -> n++
    :: else -> break
    od;
#ifdef MUTANT_KEEP_DELIVERIES
    owner[port] = OWNER(OWNED, me, DELIVERIES(owner[port]));
#else
    owner[port] = (n < PORTS && OUTSTANDING(port) == 0 -> FREE : OWNER(OWNED, me, 0));
#endif
    port = NOBODY;
    n = 0
  )
}

#define HAS_OUTSTANDING(n) (IS_OF(me, n) && !LEASED(spare[n]) && OUTSTANDING(n) > 0)

/* A call that leaves without success. */
inline give_up_attempt() {
  if
  :: failed -> STEP(intent[port] = 0; failed = 0)
  :: else
  fi;
#ifdef VARIANT_IN_FLIGHT_COUNTS
  if
  :: closing && kind == LEASE -> STEP(WAKE_ENDING)
  :: else
  fi;
#endif
  port = NOBODY
}

proctype Consumer(byte me) {
  byte port = NOBODY, kind, seen, hint, word, ticket, i, n;
  short its_intent, its_spare;
  bit failed;

next:
#if DELAYED
  if
  :: unreported[me] > 0 -> goto report
#if MERGE
  :: unreported[me] > 1 -> goto merge
#endif
  :: true
  fi;
#endif
#if BOTH
  if
  :: IS_GETTER(me) -> kind = GET
  :: kind = LEASE
  fi;
#else
  kind = (IS_GETTER(me) -> GET : LEASE);
#endif

look: /* first for what was given back */
  STEP(hint = given_back);
  if
  :: !SOME(hint) -> goto ring
  :: else
  fi;
  do
  :: i < PORTS ->
    seen = owner[i];
    if
    :: MAY_BE_TAKEN(seen) ->
      if
      :: d_step {
        owner[i] == seen ->
        owner[i] = OWNER(OWNED, me, DELIVERIES(seen));
        n = BLOCK(spare[i]);
        assert(LEASED(spare[i]) && n < MESSAGES && fate[n] == HELD && holder[n] == NOBODY);
        assert(DELIVERIES(seen) == deliveries[n] && (MAX_DELIVERIES == 0 || deliveries[n] < MAX_DELIVERIES));
        holder[n] = me;
        port = i;
        n = 0; seen = 0; hint = 0; i = 0
      }
        if
        :: kind == LEASE -> goto held
        :: else -> goto got_given_back
        fi
      :: owner[i] != seen -> i++
      OR_HALT
      fi
    :: else -> i++
    fi
  :: else -> break
  od;
#ifdef MUTANT_BLIND_CLEAR
  STEP(given_back = given_back / 2 * 2);
#else
  STEP(
    if
    :: given_back == hint -> given_back = hint - 1
    :: else
    fi
  );
#endif

ring:
  atomic {
    seen = 0; hint = 0; i = 0;
    ticket = 0;
    do
    :: ticket < SLOTS && SLOT_STATE(slot[ticket]) == OVER -> ticket++
    :: else -> break
    od;
    word = slot[ticket];
    if
    :: SLOT_STATE(word) == FULL -> skip
    :: SLOT_STATE(word) == EMPTY && closing -> goto place_end
    :: SLOT_STATE(word) == EMPTY && !closing -> goto found_empty
    :: SLOT_STATE(word) == CLOSED -> goto ended
    fi
  }
  if /* a port, and the slot's word read after it is ours */
  :: port != NOBODY -> skip
  :: port == NOBODY ->
    d_step {
      n = 0;
      do
      :: n < PORTS && !IS_SUITABLE(n) -> n++
      :: else -> break
      od;
      assert(n < PORTS);
      port = n;
      owner[port] = OWNER(OWNED, me, DELIVERIES(owner[port]));
      n = 0; ticket = 0; word = 0
    }
    goto ring
  fi;
  STEP(intent[port] = INTENT(kind, ticket, BLOCK(word)));
  if
  :: d_step {
    slot[ticket] == word ->
    slot[ticket] = SLOT(OVER, BLOCK(spare[port]));
    n = BLOCK(word);
    assert(n < MESSAGES && fate[n] == QUEUED);
    if
    :: kind == GET -> fate[n] = GOT; unreported[me]++
    :: else -> fate[n] = HELD; holder[n] = me; assert(DELIVERIES(owner[port]) == 0)
    fi;
    n = 0; ticket = 0;
    failed = 0
  }
  :: d_step { slot[ticket] != word -> failed = 1; ticket = 0; word = 0 } goto ring
  OR_HALT
  fi;
  if
  :: kind == GET ->
#ifdef MUTANT_LATE_COUNT
    STEP(spare[port] = SPARE(GETS(spare[port]), 0, BLOCK(word)));
#endif
    STEP(spare[port] = SPARE(GETS(spare[port]) + 1, 0, BLOCK(word)); word = 0; port = NOBODY);
    goto received
  :: else ->
    STEP(spare[port] = SPARE(GETS(spare[port]), 1, BLOCK(word)); word = 0)
  fi;

held: /* a lease */
  if
  :: d_step {
    n = BLOCK(spare[port]);
    assert(fate[n] == HELD && holder[n] == me);
#ifdef MUTANT_SPARE_FIRST
    spare[port] = SPARE(GETS(spare[port]) + 1, 0, BLOCK(spare[port]));
#else
    finished[port]++;
    fate[n] = DONE; holder[n] = NOBODY; ADD_OVER(1);
#endif
    n = 0
  }
  :: d_step {
    give_backs < GIVE_BACKS ->
    give_backs++;
    n = BLOCK(spare[port]);
    assert(fate[n] == HELD && holder[n] == me);
#ifdef MUTANT_EARLY_HINT
    RAISE_HINT;
#else
    holder[n] = NOBODY;
    deliveries[n]++;
    owner[port] = OWNER(GIVEN_BACK, 0, DELIVERIES(owner[port]) + 1);
    port = NOBODY;
#endif
    n = 0
  }
#ifdef MUTANT_EARLY_HINT
    STEP(
      n = BLOCK(spare[port]);
      holder[n] = NOBODY;
      deliveries[n]++;
      owner[port] = OWNER(GIVEN_BACK, 0, DELIVERIES(owner[port]) + 1);
      port = NOBODY;
      n = 0
    );
#elif !defined(MUTANT_NO_HINT)
    STEP(RAISE_HINT);
#endif
    goto next
  OR_HALT
  fi;
#ifdef MUTANT_SPARE_FIRST
  STEP(n = BLOCK(spare[port]); finished[port]++; fate[n] = DONE; holder[n] = NOBODY; ADD_OVER(1); n = 0);
#else
  STEP(spare[port] = SPARE(GETS(spare[port]) + 1, 0, BLOCK(spare[port])));
#endif
#ifndef MUTANT_NO_WAKE_AFTER_DONE
  if
  :: closing -> STEP(WAKE_ENDING)
  :: else
  fi;
#endif
  leave_port();
  goto next;

got_given_back: /* a plain get that took a port over */
#ifdef MUTANT_EARLY_RESET
  STEP(owner[port] = OWNER(OWNED, me, 0));
#endif
  STEP(
    n = BLOCK(spare[port]);
    assert(fate[n] == HELD && holder[n] == me);
    fate[n] = GOT;
    holder[n] = NOBODY;
    unreported[me]++;
    n = 0;
    spare[port] = SPARE(GETS(spare[port]) + 1, 0, BLOCK(spare[port]))
  );
#ifndef MUTANT_NO_WAKE_AFTER_TAKE_OVER
  if
  :: closing -> STEP(WAKE_ENDING)
  :: else
  fi;
#endif
#ifndef MUTANT_EARLY_RESET
  STEP(owner[port] = OWNER(OWNED, me, 0); port = NOBODY);
#endif

received:
#if DELAYED
  goto next;
#endif
report: /* task_done, for any port of this process that has counted more gets than dones */
  if
  :: d_step {
    n = 0;
    do
    :: n < PORTS && !HAS_OUTSTANDING(n) -> n++
    :: else -> break
    od;
    assert(n < PORTS);
    finished[n]++;
    unreported[me]--;
    ADD_OVER(1);
    port = n;
    n = 0
  }
  OR_HALT
  fi;
  leave_port();
  goto next;

#if MERGE
merge: /* the counts of the first port with some move to the last, or the other way round, and the port becomes free */
  skip;
  d_step {
    n = 0;
    do
    :: n < PORTS && !HAS_OUTSTANDING(n) -> n++
    :: else -> break
    od;
    port = n;
    i = PORTS - 1;
    do
    :: !HAS_OUTSTANDING(i) -> i--
    :: else -> break
    od;
    n = 0;
    seen = OUTSTANDING(port)
  }
  if
  :: i == port -> atomic { i = 0; port = NOBODY; seen = 0; goto next }
  :: else
  fi;
#ifdef MERGE_DOWN
  d_step { n = i; i = port; port = n; n = 0; seen = OUTSTANDING(port) }
#endif
#ifndef MUTANT_NO_JOURNAL
  STEP(moved[port] = MOVED(i, GETS(spare[i])));
#endif
#ifdef MUTANT_MERGE_TAKES_FIRST
  STEP(spare[port] = SPARE(GETS(spare[port]) - seen, 0, BLOCK(spare[port])));
  STEP(spare[i] = SPARE(GETS(spare[i]) + seen, 0, BLOCK(spare[i])));
#else
  STEP(spare[i] = SPARE(GETS(spare[i]) + seen, 0, BLOCK(spare[i])));
  STEP(spare[port] = SPARE(GETS(spare[port]) - seen, 0, BLOCK(spare[port])));
#endif
  i = 0; seen = 0;
#ifndef MUTANT_NO_JOURNAL
  STEP(moved[port] = 0);
#endif
  STEP(owner[port] = FREE; port = NOBODY);
  goto next;
#endif

place_end:
  STEP(
    if
    :: slot[ticket] == word -> slot[ticket] = SLOT(CLOSED, BLOCK(word))
    :: else
    fi;
    ticket = 0; word = 0
  );
  goto ring;

found_empty:
  give_up_attempt();
end_wait:
  if
  :: SOME(given_back) || closing || slot[ticket] != word || (DELAYED && unreported[me] > 0) ->
    atomic { ticket = 0; word = 0; goto next }
  OR_HALT
  fi;

ended: /* closed, and nothing is left in the ring */
  atomic { ticket = 0; word = 0 }
  give_up_attempt();
  if
  :: kind == GET && unreported[me] > 0 -> goto report
  :: kind == GET && unreported[me] == 0 -> goto finish
  :: else
  fi;
  STEP(wants_end[me] = 1);
  do
  :: i < PORTS ->
#ifdef MUTANT_SPARE_BEFORE_INTENT
    its_spare = spare[i];
    its_intent = intent[i];
#else
    its_intent = intent[i];
    its_spare = spare[i];
#endif
    if
    :: LEASED(its_spare) && DONES(finished[i]) != GETS(its_spare) + 1 -> goto outstanding
#if defined(MUTANT_IN_FLIGHT_COUNTS) || defined(VARIANT_IN_FLIGHT_COUNTS)
    :: KIND(its_intent) == LEASE && IN_FLIGHT(its_intent, its_spare) -> goto outstanding
#elif !defined(MUTANT_IN_FLIGHT_IGNORED)
    :: KIND(its_intent) == LEASE && IN_FLIGHT(its_intent, its_spare) && TOOK_EFFECT(its_intent, its_spare) -> goto outstanding
#endif
    :: else -> i++
    fi
  :: else -> break
  od;
  atomic {
    n = 0;
    do
    :: n < MESSAGES -> assert(fate[n] != HELD && fate[n] != QUEUED); n++
    :: else -> break
    od;
    i = 0; n = 0; its_intent = 0; its_spare = 0;
    wants_end[me] = 0; woken[me] = 0
  }
finish:
  atomic { status[me] = FINISHED; FORGET; kind = 0; goto halted }

outstanding:
  atomic { i = 0; its_intent = 0; its_spare = 0 }
end_outstanding:
  if
  :: d_step { woken[me] || SOME(given_back) || (DELAYED && unreported[me] > 0) -> wants_end[me] = 0; woken[me] = 0 } goto next
  OR_HALT
  fi;

halted:
  skip
}

#if LATE > 0
proctype Producer() {
end_turned_back:
  do
  :: d_step { puts < MESSAGES && !closing -> slot[puts] = SLOT(FULL, puts); fate[puts] = QUEUED; puts++ }
  :: puts == MESSAGES -> break
  od
}
#endif

#if CLOSE
proctype Closer() { closing = 1 }
#endif

#if JOIN
proctype Joiner() {
  byte done, gone, tickets, port;
  bit is_over; /* everything, when this sum began */
sum: /* the dones first, then the ticket of the tail's front, which is the number of puts at that moment (swap_ring.pml) */
#ifdef MUTANT_TICKETS_FIRST
  atomic { tickets = puts; was_over = (over == puts) }
#endif
  do
  :: port < PORTS ->
    atomic { done = done + DONES(finished[port]); gone = gone + LOST(finished[port]); port++ }
  :: else -> break
  od;
#ifdef MUTANT_TICKETS_FIRST
  if
  :: done == tickets -> assert(was_over); joined = 1
#else
  if
  :: d_step { done == puts -> assert(over == puts && gone == lost); joined = 1 }
#endif
  :: else ->
    atomic { assert(!is_over || puts > tickets); done = 0; gone = 0; tickets = 0; port = 0; is_over = 0 }
end_wait:
    atomic { over == puts -> is_over = 1; tickets = puts; goto sum }
  fi
}
#endif

/* The agent steps through the ports of one dead process: the journals of merges first, since a port that is free can count
   the gets of others. */
inline finish_merge() {
  if
  :: moved[port] != 0 ->
    if
    :: GETS(spare[MOVED_TO(moved[port])]) != GETS_BEFORE(moved[port]) ->
      spare[port] = SPARE(DONES(finished[port]), 0, BLOCK(spare[port]))
    :: else
    fi;
    moved[port] = 0
  :: else
  fi
}
#define RAISE_IF_GIVEN_BACK \
  port = 0; \
  do \
  :: port < PORTS && PORT_STATE(owner[port]) != GIVEN_BACK -> port++ \
  :: port < PORTS && PORT_STATE(owner[port]) == GIVEN_BACK -> RAISE_HINT; break \
  :: else -> break \
  od; \
  port = 0

#define OR_BURY(number) :: d_step { status[number] == DEAD -> dead = number } goto bury
#define OR_DEAD_LETTER(number) :: d_step { IS_DEAD_LETTER(owner[number]) -> port = number } goto dead_letter

proctype Agent() {
  byte dead, port, n, m, places, helped;
  bit some_leaser_runs, some_consumer_runs, is_needed;

next:
  if
  OR_BURY(0)
#if LEASERS + GETTERS > 1
  OR_BURY(1)
#endif
#if LEASERS + GETTERS > 2
  OR_BURY(2)
#endif
  :: d_step { sweeps < SWEEPS -> sweeps++ } goto sweep
#if MAX_DELIVERIES > 0
  OR_DEAD_LETTER(0)
  OR_DEAD_LETTER(1)
  OR_DEAD_LETTER(2)
#if LEASERS + GETTERS + MESSAGES > 3
  OR_DEAD_LETTER(3)
#endif
#if LEASERS + GETTERS + MESSAGES > 4
  OR_DEAD_LETTER(4)
#endif
#endif
  :: timeout -> goto nothing_moves
  fi;

#if MAX_DELIVERIES > 0
dead_letter:
  skip;
  d_step {
    assert(IS_DEAD_LETTER(owner[port])); /* nobody else takes it */
    n = BLOCK(spare[port]);
    assert(LEASED(spare[port]) && fate[n] == HELD && holder[n] == NOBODY && deliveries[n] == MAX_DELIVERIES);
    owner[port] = OWNER(OWNED, AGENT, DELIVERIES(owner[port]));
    fate[n] = DEAD_LETTER; /* put into the other queue */
    n = 0
  }
#ifndef MUTANT_DEAD_LETTER_NOT_DONE
  d_step { finished[port]++; ADD_OVER(1) }
#else
  ADD_OVER(1);
#endif
  spare[port] = SPARE(DONES(finished[port]), 0, BLOCK(spare[port]));
  owner[port] = FREE;
#ifndef MUTANT_NO_WAKE_AFTER_DEAD_LETTER
  d_step { WAKE_ENDING }
#endif
  port = 0;
  goto next;
#endif

bury:
#if MERGE
#ifndef MUTANT_JOURNAL_WITH_PORT
  port = 0;
  do
  :: port < PORTS ->
    if
    :: IS_OF(dead, port) -> finish_merge()
    :: else
    fi;
    port++
  :: else -> break
  od;
#endif
#endif
  port = 0;
  do
  :: port < PORTS ->
    if
    :: !IS_OF(dead, port) -> port++
    :: else ->
#ifdef MUTANT_JOURNAL_WITH_PORT
      finish_merge();
#endif
      if
      :: IN_FLIGHT(intent[port], spare[port]) ->
        if
        :: TOOK_EFFECT(intent[port], spare[port]) ->
          if
#ifdef MUTANT_LEASE_SETTLED_AS_GET
          :: true ->
#else
          :: KIND(intent[port]) == GET ->
#endif
            spare[port] = SPARE(GETS(spare[port]) + 1, 0, BLOCK(intent[port]))
          :: KIND(intent[port]) == LEASE -> spare[port] = SPARE(GETS(spare[port]), 1, BLOCK(intent[port]))
          fi
        :: else
        fi
      :: else
      fi;
      intent[port] = 0;
      if
#ifdef MUTANT_DONE_OVERLOOKED
      :: LEASED(spare[port]) ->
#else
      :: LEASED(spare[port]) && DONES(finished[port]) != GETS(spare[port]) + 1 ->
#endif
        d_step {
          n = BLOCK(spare[port]);
          assert(n < MESSAGES && fate[n] == HELD && holder[n] == dead);
          holder[n] = NOBODY;
          n = 0;
          owner[port] = OWNER(GIVEN_BACK, 0, DELIVERIES(owner[port]) + 1)
        }
      :: else ->
        if
        :: LEASED(spare[port]) -> spare[port] = SPARE(GETS(spare[port]) + 1, 0, BLOCK(spare[port]))
        :: else
        fi;
        d_step {
          n = OUTSTANDING(port);
          ADD_OVER(n);
#ifdef MUTANT_LOST_NOT_DONE
          finished[port] = finished[port] + 16 * n;
#else
          finished[port] = finished[port] + 17 * n;
#endif
          n = 0
        }
        owner[port] = FREE
      fi;
      port++
    fi
  :: else -> break
  od;
  status[dead] = BURIED;
  d_step { RAISE_IF_GIVEN_BACK; dead = 0 } /* also for the dead who gave back and did not raise it */
#ifndef MUTANT_NO_WAKE_AFTER_BURIAL
  d_step { WAKE_ENDING } /* for the dead who did not get to it after their last done */
#endif
  goto next;

sweep:
  skip;
#ifndef MUTANT_NO_SWEEP
  d_step { RAISE_IF_GIVEN_BACK }
  d_step { WAKE_ENDING }
#endif
  goto next;

nothing_moves:
  skip;
  d_step {
    /* Is there somebody whom only the sweep can help? That takes one who was stopped. */
    n = 0;
    do
    :: n < MESSAGES ->
      is_needed = is_needed || (fate[n] == HELD && holder[n] == NOBODY && !SOME(given_back));
      places = places + (fate[n] == HELD || fate[n] == QUEUED);
      n++
    :: else -> break
    od;
    n = 0;
    do
    :: n < PROCESSES ->
      some_consumer_runs = some_consumer_runs || status[n] == RUNNING;
      is_needed = is_needed || (status[n] == RUNNING && wants_end[n] && places == 0);
      n++
    :: else -> break
    od;
    n = 0; places = 0;
    is_needed = is_needed && some_consumer_runs && stops > 0
  }
  if
#ifndef MUTANT_NO_SWEEP
  :: d_step { is_needed -> is_needed = 0; some_consumer_runs = 0; assert(helped < 2 * STOPS); helped++ } goto sweep
#endif
  :: else
  fi;

  d_step {
    some_consumer_runs = 0;
    n = 0;
    do
    :: n < PROCESSES ->
      some_consumer_runs = some_consumer_runs || status[n] == RUNNING;
      some_leaser_runs = some_leaser_runs || status[n] == RUNNING || (status[n] == FINISHED && !IS_GETTER(n));
      n++
    :: else -> break
    od;
    /* Claims 1 to 3: what nobody holds has gone to those who run; who waits on a closed queue waits for the stopped. */
    n = 0;
    do
    :: n < MESSAGES ->
      if
      :: fate[n] == QUEUED -> assert(!some_leaser_runs)
      :: fate[n] == HELD && holder[n] == NOBODY -> assert(!some_leaser_runs)
      :: fate[n] == HELD && holder[n] != NOBODY -> assert(status[holder[n]] == STOPPED); places++
      :: else
      fi;
      n++
    :: else -> break
    od;
    n = 0;
    do
    :: n < PROCESSES -> assert(status[n] != RUNNING || !closing || places > 0); n++
    :: else -> break
    od;
    /* Claim 2: the count of what lies given back. */
    port = 0;
    do
    :: port < PORTS ->
      if
      :: PORT_STATE(owner[port]) == GIVEN_BACK -> assert(DELIVERIES(owner[port]) == deliveries[BLOCK(spare[port])])
      :: else
      fi;
      port++
    :: else -> break
    od;
    /* Claim 4. */
    assert(!JOIN || over < puts || joined);
    m = 0;
    port = 0;
    do
    :: port < PORTS -> m = m + LOST(finished[port]); port++
    :: else -> break
    od;
    assert(m == lost);
    /* Claim 5. */
    n = 0;
    do
    :: n < BLOCKS ->
      places = 0;
      m = 0;
      do
      :: m < SLOTS -> places = places + (BLOCK(slot[m]) == n); m++
      :: else -> break
      od;
      m = 0;
      do
      :: m < PORTS ->
        if
        :: IN_FLIGHT(intent[m], spare[m]) && TOOK_EFFECT(intent[m], spare[m]) -> places = places + (BLOCK(intent[m]) == n)
        :: else -> places = places + (BLOCK(spare[m]) == n)
        fi;
        m++
      :: else -> break
      od;
      assert(places == 1);
      n++
    :: else -> break
    od
  }
}

init {
  byte n;
  d_step {
    do
    :: n < SLOTS ->
      if
      :: n < MESSAGES - LATE -> slot[n] = SLOT(FULL, n); fate[n] = QUEUED; puts++
      :: else -> slot[n] = SLOT(EMPTY, n)
      fi;
      if
      :: n < MESSAGES -> holder[n] = NOBODY
      :: else
      fi;
      n++
    :: else -> break
    od;
    n = 0;
    do
    :: n < PORTS -> spare[n] = SPARE(0, 0, SLOTS + n); n++
    :: else -> break
    od;
    n = 0
  }
  atomic {
    do
    :: n < PROCESSES -> run Consumer(n); n++
    :: else -> break
    od;
    n = 0;
#if LATE > 0
    run Producer();
#endif
#if CLOSE
    run Closer();
#endif
#if JOIN
    run Joiner();
#endif
    run Agent()
  }
}
