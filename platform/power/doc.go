// Package power says whether the machine runs on battery, and with how much
// charge. It only looks, seldom, and never fails: what a system does not tell is
// not known.
//
// Linux: /sys/class/power_supply. Batteries of mice and the like don't count. A
// charger that is plugged in counts as mains although the battery shrinks beside
// it. macOS: what pmset -g batt prints. Windows: GetSystemPowerStatus.
//
// On a machine that has no battery Watch returns after its first look, so that
// nothing is left running there.
package power
