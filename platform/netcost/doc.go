// Package netcost says whether the connection to the Internet is metered: paid
// for by the byte, such as a telephone's. It only looks, and never fails: what a
// system does not tell is not known.
//
// Linux: the property Metered of NetworkManager, whose guesses are taken for what
// they say; it tells changes by itself. Without a system bus nothing is left
// running; without NetworkManager on it one connection waits for it to appear.
// Windows: INetworkCostManager of the network list manager, asked each minute.
// macOS tells it to programs that link with its frameworks only (NWPath), so
// there it is not known.
package netcost
