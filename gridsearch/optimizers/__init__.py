"""How a trial moves: update rules, parameter groups, schedules."""
