#compdef wyvern
# Completion of the `wyvern` command for zsh.

_wyvern_jobs() {
  local -a jobs=(${(f)"$(wyvern ps 2>/dev/null | sed -n 's/^job \([0-9]*\): \(.*\)/\1:\2/p')"})
  _describe job jobs
}

_wyvern() {
  local -a commands=(
    'run:run a program as the head process of a job'
    'join:run a program as a process of a running job'
    'ps:list running jobs, their processes and queues'
    'top:show running jobs again and again'
    'info:say what Wyvern finds on this machine, and what it would choose'
    'doctor:check this machine for what usually goes wrong')
  local -a shared=(
    '--help[what there is]'
    '--provider[by which nodes reach each other]:provider:(tcp net shm verbs cxi efa psm3 opx)'
    '--memory[shared memory that the job may use]:size, for example 512M')

  if ((CURRENT == 2)); then
    _describe command commands
    _arguments '--help[what there is]' '--version[which version this is]'
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
    run)
      _arguments -A '-*' $shared \
        '--nodes[nodes on this machine]:number from 1 to 64' \
        '--timeout[end the job after that time]:time, for example 90 or 10m' \
        '--label[put the puid before every line of output]' \
        '(-)1:program:_command_names -e' \
        '*::arguments:_normal'
      ;;
    join)
      _arguments -A '-*' '--help[what there is]' '--node[the node of the job that it joins]:number of a node' \
        '1:job:_wyvern_jobs' '(-)2:program:_command_names -e' '*::arguments:_normal'
      ;;
    ps)
      _arguments '--help[what there is]' '--json[print JSON]' '1:job:_wyvern_jobs'
      ;;
    top)
      _arguments '--help[what there is]' '--json[print JSON, a line for each look]' \
        '--once[show the jobs once, after one interval]' \
        '--interval[from one look to the next]:time, for example 0.5 or 2s' '1:job:_wyvern_jobs'
      ;;
    info)
      _arguments $shared '--json[print JSON]'
      ;;
    doctor)
      _arguments $shared '--json[print JSON]' '--hosts[other hosts that are to be reached]:hosts:_sequence _hosts'
      ;;
  esac
}

_wyvern "$@"
