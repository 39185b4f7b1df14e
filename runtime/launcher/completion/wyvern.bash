# Completion of the `wyvern` command for bash.

# _wyvern_program: where PROGRAM stands among the words of `wyvern run`: the first that is neither an option nor the
# value of one.
_wyvern_program() {
  local i
  for ((i = 2; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      --nodes | --provider | --memory | --timeout)
        ((++i))
        if [[ ${COMP_WORDS[i]} == = ]]; then ((++i)); fi  # --nodes=4 is three words
        ;;
      --) break ;;
      -*) ;;
      *)
        echo "$i"
        return
        ;;
    esac
  done
  if [[ ${COMP_WORDS[i]} == -- ]]; then ((++i)); fi
  echo "$i"
}

# _wyvern_jobs: the numbers of the jobs that run.
_wyvern_jobs() {
  wyvern ps 2>/dev/null | sed -n 's/^job \([0-9]*\):.*/\1/p'
}

_wyvern() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} program words
  if ((COMP_CWORD > 2)); then  # --provider=tcp is three words, --provider= two
    if [[ $word == = ]]; then
      word=
    elif [[ $before == = ]]; then
      before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
  fi
  if ((COMP_CWORD == 1)); then
    words="run ps top info doctor --help --version"
  elif [[ $before == --provider ]]; then
    words="tcp net shm verbs cxi efa psm3 opx"
  else
    case ${COMP_WORDS[1]} in
      run)
        words="--help --nodes --provider --memory --timeout --label"
        program=$(_wyvern_program)
        if ((program < COMP_CWORD)); then  # one of its arguments
          mapfile -t COMPREPLY < <(compgen -f -- "$word")
          return
        fi
        if ((program == COMP_CWORD)) && [[ $before == -- || $word != -* ]]; then
          mapfile -t COMPREPLY < <(compgen -c -- "$word"; compgen -f -- "$word")
          return
        fi
        ;;
      ps | top)
        words="--help --json"
        if [[ ${COMP_WORDS[1]} == top ]]; then words+=" --once --interval"; fi
        if [[ $word != -* ]]; then words=$(_wyvern_jobs); fi
        ;;
      info) words="--help --provider --memory --json" ;;
      doctor) words="--help --provider --memory --hosts --json" ;;
    esac
    case $before in
      --nodes | --memory | --timeout | --interval) words= ;;
      --hosts)
        mapfile -t COMPREPLY < <(compgen -A hostname -- "$word")
        return
        ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o filenames -F _wyvern wyvern
