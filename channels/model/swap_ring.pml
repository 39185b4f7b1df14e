/* A model of the swap ring: a bounded queue in shared memory for many producers and many consumers, in which put and get
   are one compare-and-swap each that exchanges blocks, and which any process may leave at any step.

   WHAT IS CLAIMED (each is an assertion here)
   1. Every message is received at most once, and only after it was put. The put with ticket t is the t-th put, the get
      with ticket t is the t-th get: the queue is first-in first-out.
   2. While a consumer is alive and running, everything that was accepted is received, also when the queue is closed at
      any moment; no accepted message stands behind the CLOSED slot.
   3. In the end every block is in exactly one place: in a slot or under one port, whoever was killed or stopped, and
      whoever used the ports of the dead again.
   4. Nobody who is alive and running waits for someone who is dead or stopped: a producer is left waiting only when no
      consumer is alive and running, a consumer only when the queue is empty and open.
   5. Nobody runs in circles for ever (checked as the absence of cycles: gcc -DNP, pan -l).
   6. A port whose spare block is the block of its intent, or that has no intent, has nothing in flight; every other port
      belongs to somebody who is in an operation. The gets that the ports have counted are the gets that took
      effect.

   WHAT IS MODELLED
   put, get, the two hints, close, settling of dead ports by the agent, and ports that are used again.
   - A slot, an intent, a spare, a hint, a tag are one atomic word each; one step of the model is one access to shared memory and
     the local computation around it. Filling a block is one step together with reading the closing flag: the block is
     private, which claim 3 confirms.
   - killed: at any step, at most DEATHS times. The agent settles the port, step by step while the others go on. Then the
     port is FREE.
   - stopped for ever: at any step, at most STOPS times. It is not dead: the agent never touches its port. (Stopped and
     continued later is what interleaving means; killed after being stopped is the same as killed later.)
     Halting just before a read leaves behind what halting before the next write or wait leaves behind; so the first
     step of an operation, every write and every wait offer it.
   - newcomers: NEW_PRODUCERS and NEW_CONSUMERS processes that wait for a FREE port, claim it, whoever had it before,
     and go on with its spare block.
   - close: with CLOSE=1 the closing flag is set at any moment.
   - gets are counted in the spare word, in the store that makes the block the port's.

   WHAT IS NOT MODELLED
   weak memory order (every step is sequentially consistent), batches, wrap-around of tickets, ports that are added later.
   Leases, sleeping, extents and the life of objects have models of their own. README.md says more.

   HOW TO RUN (`check` beside this file does it for all configurations and mutants)
     spin -a -DPRODUCERS=1 -DCONSUMERS=2 -DMESSAGES=2 -DDEATHS=1 -DSTOPS=1 swap_ring.pml
     gcc -O2 -DSAFETY -DCOLLAPSE -DVECTORSZ=4096 -o pan pan.c && ./pan -m1000000
   and after an error `spin -t -p -g` with the same -D options shows the way to it.

   MUTANTS: -DMUTANT_... takes one necessary part out of the design; each must make spin find an error. */

#ifndef CAPACITY
#define CAPACITY 2
#endif
#ifndef PRODUCERS
#define PRODUCERS 1
#endif
#ifndef CONSUMERS
#define CONSUMERS 1
#endif
#ifndef MESSAGES
#define MESSAGES 2 /* per producer */
#endif
#ifndef NEW_PRODUCERS
#define NEW_PRODUCERS 0
#endif
#ifndef NEW_CONSUMERS
#define NEW_CONSUMERS 0
#endif
#ifndef NEW_MESSAGES
#define NEW_MESSAGES 1 /* per new producer */
#endif
#ifndef DEATHS
#define DEATHS 0 /* at most */
#endif
#ifndef STOPS
#define STOPS 0 /* at most */
#endif
#ifndef CLOSE
#define CLOSE 0
#endif
#ifndef SCAN_ORDER
#define SCAN_ORDER 123 /* what the agent looks at: 1 the slot, 2 the intents, 3 the tag; any other value is a mutant */
#endif

#define PORTS (PRODUCERS + CONSUMERS)
#define PROCESSES (PORTS + NEW_PRODUCERS + NEW_CONSUMERS)
#define BLOCKS (CAPACITY + PORTS) /* at most 16 */
#define MESSAGE_COUNT (PRODUCERS * MESSAGES + NEW_PRODUCERS * NEW_MESSAGES)
#define NOBODY 255

/* A process is known by its number: first the producers, then the consumers, then the newcomers in the same order. */
#define IS_CONSUMER(process) \
  (((process) >= PRODUCERS && (process) < PORTS) || (process) >= PORTS + NEW_PRODUCERS)
#define QUOTA(process) ((process) < PRODUCERS -> MESSAGES : NEW_MESSAGES)
#define MESSAGE(process, sent) \
  (1 + (sent) + ((process) < PRODUCERS -> (process) * MESSAGES \
                                       : PRODUCERS * MESSAGES + ((process) - PORTS) * NEW_MESSAGES))

/* A slot word {lap, state, block}. */
#define EMPTY 0
#define FULL 1
#define CLOSED 2
#define SLOT_WORD(lap, state, block) ((lap) * 64 + (state) * 16 + (block))
#define LAP(word) ((word) / 64)
#define STATE(word) (((word) / 16) % 4)
#define BLOCK(word) ((word) % 16)

/* An intent word {active, role, ticket, block it is about to receive}; no intent is 0. It is not cleared after a success:
   then its block is the spare. It is cleared when a call leaves without success after an attempt that failed. */
#define PUT 0
#define GET 1
#define INTENT(role, ticket, block) ((ticket) * 64 + (role) * 32 + 16 + (block))
#define IS_ACTIVE(intent) (((intent) / 16) % 2)
#define ROLE(intent) (((intent) / 32) % 2)
#define TICKET(intent) ((intent) / 64)
#define EXPECTED(intent) ((intent) % 16)
#define IN_FLIGHT(intent, spare_block) (IS_ACTIVE(intent) && EXPECTED(intent) != (spare_block))

/* A spare word {gets, block}. */
#define SPARE_WORD(gets, block) ((gets) * 16 + (block))
#define GETS(word) ((word) / 16)
#define SPARE_BLOCK(number) (spare[number] % 16)

/* ---- shared memory ---- */
short slot[CAPACITY];
byte tail, head;       /* hints: tickets */
bit closing;
short intent[PORTS];
byte spare[PORTS];     /* spare words */
byte owner[PORTS];     /* process number, or FREE */
byte tag[BLOCKS];      /* port number, or NOBODY */
byte content[BLOCKS];  /* the message in a block */
#define FREE NOBODY

/* ---- bookkeeping of the model ---- */
#define ABSENT 0 /* a newcomer that has no port yet */
#define RUNNING 1
#define DEAD 2
#define STOPPED 3
#define FINISHED 4
byte status[PROCESSES];
byte deaths, stops;
#define UNSENT 0
#define ACCEPTED 1
#define RECEIVED 2
byte fate[MESSAGE_COUNT + 1];
byte puts, gets;       /* how many took effect */

#if DEATHS > 0
#define OR_DIE :: d_step { deaths < DEATHS -> deaths++; status[me] = DEAD; FORGET } goto halted
#else
#define OR_DIE
#endif
#if STOPS > 0
#define OR_STOP :: d_step { stops < STOPS -> stops++; status[me] = STOPPED; FORGET } goto halted
#else
#define OR_STOP
#endif
#define OR_HALT OR_DIE OR_STOP
#define FORGET ticket = 0; word = 0; message = 0; flag = 0; failed = 0; /* equal states should look equal */

/* One write to shared memory (or the first step of an operation), before which the process may halt. */
#define STEP(action) if :: d_step { action } OR_HALT fi
/* A hint is stored by whoever has seen further than it read, and so may go back: who is behind jumps forward. */
#define ADVANCE(hint, target) STEP(assert((target) > ticket); hint = (target))

#define LAP_OF(ticket) ((ticket) / CAPACITY)
#define SLOT_OF(ticket) slot[(ticket) % CAPACITY]
/* The ticket of this slot in the lap of `word`, one lap earlier, and the ticket after each. */
#define TICKET_AT(word) (LAP(word) * CAPACITY + ticket % CAPACITY)
#define AFTER_THIS_LAP (TICKET_AT(word) + 1)
#define AFTER_LAST_LAP (TICKET_AT(word) - CAPACITY + 1)

/* A newcomer takes any port that is free. */
#define OR_CLAIM(number) :: d_step { owner[number] == FREE -> owner[number] = me; port = number; status[me] = RUNNING }
inline claim_port() {
  if
  OR_CLAIM(0)
  OR_CLAIM(1)
#if PRODUCERS + CONSUMERS > 2
  OR_CLAIM(2)
#endif
#if PRODUCERS + CONSUMERS > 3
  OR_CLAIM(3)
#endif
  fi
}

/* A call that leaves without success. */
inline clear_failed_intent() {
  if
  :: failed -> STEP(intent[port] = 0; failed = 0)
  :: else
  fi
}

/* After a successful swap: tag, then spare. */
inline keep_received_block(got) {
#if !defined(MUTANT_NO_TAG) && !defined(MUTANT_LATE_TAG)
  STEP(tag[BLOCK(word)] = port);
#endif
#ifdef MUTANT_EARLY_CLEAR
  STEP(intent[port] = 0);
#endif
#ifdef MUTANT_LATE_COUNT
  STEP(spare[port] = SPARE_WORD(GETS(spare[port]), BLOCK(word)); message = 0);
  STEP(spare[port] = SPARE_WORD(GETS(spare[port]) + got, BLOCK(word)));
#else
  STEP(
    assert(message == 0 || content[BLOCK(word)] == message);
    spare[port] = SPARE_WORD(GETS(spare[port]) + got, BLOCK(word));
    message = 0
  );
#endif
#ifdef MUTANT_LATE_TAG
  STEP(tag[BLOCK(word)] = port);
#endif
}

proctype Producer(byte me; byte port) {
  byte ticket, message, sent;
  short word;
  bit flag, failed;
  if
  :: port == NOBODY ->
#ifdef MUTANT_EARLY_WORD
    atomic { ticket = tail; word = SLOT_OF(ticket) }
#endif
end_no_port:
    claim_port()
#ifdef MUTANT_EARLY_WORD
    ; STEP(content[SPARE_BLOCK(port)] = MESSAGE(me, sent));
    if
    :: LAP(word) == LAP_OF(ticket) && STATE(word) == EMPTY -> goto swap
    :: else
    fi
#endif
  :: else
  fi;

put:
  if
  :: sent == QUOTA(me) -> goto finished
  :: else
  fi;
  STEP(content[SPARE_BLOCK(port)] = MESSAGE(me, sent); flag = closing);
  if
  :: flag -> goto turned_back
  :: else
  fi;

look:
  ticket = tail;
  atomic {
    word = SLOT_OF(ticket);
    /* What join() relies on: where a putter stops to look further, the ticket is the number of puts at that moment. */
    assert(LAP(word) > LAP_OF(ticket) || (LAP(word) == LAP_OF(ticket) && STATE(word) == FULL) || ticket == puts);
    if
    :: LAP(word) == LAP_OF(ticket) && STATE(word) == EMPTY -> goto swap
    :: LAP(word) == LAP_OF(ticket) && STATE(word) == FULL -> goto move_on
    :: LAP(word) == LAP_OF(ticket) && STATE(word) == CLOSED -> assert(closing); goto turned_back
    :: LAP(word) > LAP_OF(ticket) -> goto catch_up
    :: LAP(word) < LAP_OF(ticket) -> assert(LAP(word) + 1 == LAP_OF(ticket) && STATE(word) == FULL)
    fi
  }
  clear_failed_intent();
  goto wait;

move_on:
#ifdef MUTANT_NO_HELP
  if
  :: tail != ticket -> skip
  OR_HALT
  fi;
#else
  ADVANCE(tail, ticket + 1);
#endif
  goto look;

catch_up:
  if
  :: STATE(word) == FULL -> ADVANCE(tail, AFTER_THIS_LAP)
  :: else ->
#ifdef MUTANT_TAIL_TOO_FAR
    ADVANCE(tail, AFTER_THIS_LAP)
#else
    ADVANCE(tail, AFTER_LAST_LAP)
#endif
  fi;
  goto look;

end_wait:
wait: /* the queue is full: until anything that was read is different */
  if
  :: SLOT_OF(ticket) != word || tail != ticket -> goto look
  :: closing -> goto turned_back
  OR_HALT
  fi;

swap:
#ifdef MUTANT_EARLY_TAG
  STEP(tag[BLOCK(word)] = port);
#endif
#ifndef MUTANT_LATE_INTENT
  STEP(intent[port] = INTENT(PUT, ticket, BLOCK(word)));
#endif
  if
  :: d_step {
    SLOT_OF(ticket) == word ->
    SLOT_OF(ticket) = SLOT_WORD(LAP(word), FULL, SPARE_BLOCK(port));
    assert(ticket == puts);
    puts++;
    assert(fate[MESSAGE(me, sent)] == UNSENT);
    fate[MESSAGE(me, sent)] = ACCEPTED;
    sent++
  }
  :: d_step { SLOT_OF(ticket) != word -> failed = 1 } goto look
  OR_HALT
  fi;
#ifdef MUTANT_LATE_INTENT
  STEP(intent[port] = INTENT(PUT, ticket, BLOCK(word)));
#endif
  keep_received_block(0);
  ADVANCE(tail, ticket + 1);
  d_step { FORGET }
  goto put;

turned_back:
  clear_failed_intent();
finished:
  atomic { status[me] = FINISHED; FORGET }
halted:
  skip
}

proctype Consumer(byte me; byte port) {
  byte ticket, message;
  short word;
  bit flag, failed;
  if
  :: port == NOBODY ->
end_no_port:
    claim_port()
  :: else
  fi;

get:
  STEP(ticket = head);
#if CLOSE
  flag = closing;
#endif
  atomic {
    word = SLOT_OF(ticket);
    assert(LAP(word) >= LAP_OF(ticket));
    if
    :: LAP(word) == LAP_OF(ticket) && STATE(word) == FULL -> goto swap
    :: LAP(word) == LAP_OF(ticket) && STATE(word) == EMPTY && !flag -> skip
    :: LAP(word) == LAP_OF(ticket) && STATE(word) == EMPTY && flag -> goto end_queue
    :: LAP(word) == LAP_OF(ticket) && STATE(word) == CLOSED -> goto ended
    :: LAP(word) > LAP_OF(ticket) -> goto catch_up
    fi
  }
  clear_failed_intent();
  goto wait;

catch_up:
#ifdef MUTANT_HEAD_TOO_FAR
  ADVANCE(head, AFTER_THIS_LAP);
#else
  ADVANCE(head, AFTER_LAST_LAP);
#endif
  goto again;

end_queue: /* nothing is left: the end takes the place of the next message; no block moves */
#ifdef MUTANT_NO_CLOSED_SLOT
  goto ended;
#else
  STEP(
    if
    :: SLOT_OF(ticket) == word -> SLOT_OF(ticket) = SLOT_WORD(LAP(word), CLOSED, BLOCK(word))
    :: else
    fi
  );
  goto again;
#endif

end_wait:
wait: /* the queue is empty: until anything that was read is different */
  if
  :: SLOT_OF(ticket) != word || head != ticket || closing != flag -> goto again
  OR_HALT
  fi;

swap:
#ifdef MUTANT_EARLY_TAG
  STEP(tag[BLOCK(word)] = port);
#endif
#ifndef MUTANT_LATE_INTENT
  STEP(intent[port] = INTENT(GET, ticket, BLOCK(word)));
#endif
  if
  :: d_step {
    SLOT_OF(ticket) == word ->
    SLOT_OF(ticket) = SLOT_WORD(LAP(word) + 1, EMPTY, SPARE_BLOCK(port));
    assert(ticket == gets);
    gets++;
    message = content[BLOCK(word)];
    assert(fate[message] == ACCEPTED);
    fate[message] = RECEIVED
  }
  :: d_step { SLOT_OF(ticket) != word -> failed = 1 } goto again
  OR_HALT
  fi;
#ifdef MUTANT_LATE_INTENT
  STEP(intent[port] = INTENT(GET, ticket, BLOCK(word)));
#endif
  keep_received_block(1);
  ADVANCE(head, ticket + 1);
  d_step { FORGET }
  goto get;

again:
  atomic { ticket = 0; word = 0; flag = 0 }
  goto get;

ended:
  clear_failed_intent();
  atomic { status[me] = FINISHED; FORGET }
halted:
  skip
}

proctype Closer() { closing = 1 }

/* What the agent knows of a dead port: the block it offered and its intent. Another port's intent proves that the offered
   block was in the slot of the dead ticket, if it is for exactly the swap that came next there. */
#ifdef MUTANT_INEXACT_TICKET
#define COMES_NEXT(other, dead) (ROLE(other) != ROLE(dead))
#elif defined(MUTANT_SAME_LAP)
#define COMES_NEXT(other, dead) (ROLE(other) != ROLE(dead) && TICKET(other) == TICKET(dead))
#else
#define COMES_NEXT(other, dead) \
  (ROLE(other) != ROLE(dead) && TICKET(other) == TICKET(dead) + (ROLE(dead) == GET -> CAPACITY : 0))
#endif
#define PROVES(other, dead, offered) (IS_ACTIVE(other) && COMES_NEXT(other, dead) && EXPECTED(other) == (offered))
#define IN_SLOT(dead, offered) (BLOCK(SLOT_OF(TICKET(dead))) == (offered))

inline look_at_slot() {
  if
  :: IN_SLOT(its_intent, offered) -> goto took_effect
  :: else
  fi
}
inline look_at_intents() {
  other = 0;
  do
  :: other < PORTS && other != port && PROVES(intent[other], its_intent, offered) -> goto took_effect
  :: other < PORTS && !(other != port && PROVES(intent[other], its_intent, offered)) -> other++
  :: other == PORTS -> break
  od
}
inline look_at_tag() {
  if
  :: tag[offered] != port -> goto took_effect
  :: else
  fi
}

#define OR_SETTLE(number) \
  :: d_step { \
    owner[number] != FREE && status[owner[number]] == DEAD -> \
    port = number; offered = SPARE_BLOCK(number); its_intent = intent[number] \
  } goto settle

proctype Agent() {
  byte port, offered, other, block, places;
  short its_intent;
  bit some_consumer_runs, is_seen;

next:
  if
  OR_SETTLE(0)
  OR_SETTLE(1)
#if PRODUCERS + CONSUMERS > 2
  OR_SETTLE(2)
#endif
#if PRODUCERS + CONSUMERS > 3
  OR_SETTLE(3)
#endif
  :: timeout -> goto at_rest
  fi;

settle:
  if
  :: !IN_FLIGHT(its_intent, offered) -> goto settled
  :: else
  fi;
#if SCAN_ORDER == 123
  look_at_slot(); look_at_intents(); look_at_tag();
#elif SCAN_ORDER == 132
  look_at_slot(); look_at_tag(); look_at_intents();
#elif SCAN_ORDER == 213
  look_at_intents(); look_at_slot(); look_at_tag();
#elif SCAN_ORDER == 231
  look_at_intents(); look_at_tag(); look_at_slot();
#elif SCAN_ORDER == 312
  look_at_tag(); look_at_slot(); look_at_intents();
#elif SCAN_ORDER == 321
  look_at_tag(); look_at_intents(); look_at_slot();
#elif SCAN_ORDER == 12
  look_at_slot(); look_at_intents();
#elif SCAN_ORDER == 13
  look_at_slot(); look_at_tag();
#elif SCAN_ORDER == 23
  look_at_intents(); look_at_tag();
#endif
  goto settled;

took_effect: /* nobody but the agent reads these two before the port is free */
  atomic {
#ifndef MUTANT_NO_RETAG
    tag[EXPECTED(its_intent)] = port;
#endif
    spare[port] = SPARE_WORD(GETS(spare[port]) + ROLE(its_intent), EXPECTED(its_intent))
  }
settled:
  atomic {
    intent[port] = 0;
    owner[port] = FREE;
    port = 0; offered = 0; other = 0; its_intent = 0
  }
  goto next;

at_rest: /* nobody can take a step any more */
  skip;
  d_step {
    /* Claims 2 and 4. */
    other = 0;
    do
    :: other < PROCESSES ->
      if
      :: IS_CONSUMER(other) && (status[other] == RUNNING || status[other] == FINISHED) -> some_consumer_runs = 1
      :: else
      fi;
      other++
    :: else -> break
    od;
    assert(!some_consumer_runs || gets == puts);
    other = 0;
    do
    :: other < PROCESSES ->
      assert(status[other] != RUNNING || (!closing && (IS_CONSUMER(other) || !some_consumer_runs)));
      other++
    :: else -> break
    od;
    places = 0;
    other = 0;
    do
    :: other < CAPACITY ->
      if
      :: STATE(slot[other]) == CLOSED ->
        places++;
        assert(puts == gets && puts == LAP(slot[other]) * CAPACITY + other)
      :: else
      fi;
      other++
    :: else -> break
    od;
    assert(places <= CLOSE && (!CLOSE || !some_consumer_runs || places == 1));
    other = 1;
    do
    :: other <= MESSAGE_COUNT ->
      assert(fate[other] != ACCEPTED || !some_consumer_runs);
      other++
    :: else -> break
    od;
    /* Claim 3. A stopped port may have an active intent: the rule says what it owns, and would say so if it were killed now. */
    block = 0;
    do
    :: block < BLOCKS ->
      places = 0;
      other = 0;
      do
      :: other < CAPACITY ->
        if
        :: BLOCK(slot[other]) == block -> places++
        :: else
        fi;
        other++
      :: else -> break
      od;
      port = 0;
      do
      :: port < PORTS ->
        its_intent = intent[port];
        offered = SPARE_BLOCK(port);
        is_seen = 0;
        if
        :: IN_FLIGHT(its_intent, offered) ->
          assert(owner[port] != FREE && status[owner[port]] == STOPPED);
          is_seen = IN_SLOT(its_intent, offered) || tag[offered] != port;
          other = 0;
          do
          :: other < PORTS ->
            is_seen = is_seen || (other != port && PROVES(intent[other], its_intent, offered));
            other++
          :: else -> break
          od
        :: else
        fi;
        if
        :: (is_seen -> EXPECTED(its_intent) : offered) == block -> places++
        :: else
        fi;
        port++
      :: else -> break
      od;
      assert(places == 1);
      block++
    :: else -> break
    od;
    /* Claim 6, of the ports as they would be settled. */
    places = 0;
    port = 0;
    do
    :: port < PORTS ->
      its_intent = intent[port];
      offered = SPARE_BLOCK(port);
      is_seen = 0;
      if
      :: IN_FLIGHT(its_intent, offered) && ROLE(its_intent) == GET ->
        is_seen = IN_SLOT(its_intent, offered) || tag[offered] != port;
        other = 0;
        do
        :: other < PORTS ->
          is_seen = is_seen || (other != port && PROVES(intent[other], its_intent, offered));
          other++
        :: else -> break
        od
      :: else
      fi;
      places = places + GETS(spare[port]) + is_seen;
      port++
    :: else -> break
    od;
    assert(places == gets)
  }
}

init {
  byte number;
  d_step {
    do
    :: number < CAPACITY ->
      slot[number] = SLOT_WORD(0, EMPTY, number);
      tag[number] = NOBODY;
      number++
    :: else -> break
    od;
    number = 0;
    do
    :: number < PORTS ->
      spare[number] = SPARE_WORD(0, CAPACITY + number);
      tag[CAPACITY + number] = number;
      owner[number] = number;
      status[number] = RUNNING;
      number++
    :: else -> break
    od;
    number = 0
  }
  atomic {
    do
    :: number < PROCESSES ->
      if
      :: IS_CONSUMER(number) -> run Consumer(number, (number < PORTS -> number : NOBODY))
      :: else -> run Producer(number, (number < PORTS -> number : NOBODY))
      fi;
      number++
    :: else -> break
    od;
    number = 0;
#if CLOSE
    run Closer();
#endif
    run Agent()
  }
}
