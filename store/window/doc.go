// Package window decides who may send a request under limits that many
// processes share. It is arithmetic on a [State] that the caller keeps: no
// database, no clock, no goroutines.
//
// The windows are exact and slide. What a vendor counts is the arrival of a
// request, and that lies somewhere between the grant and the response. A slot
// is therefore taken from its grant until its response, and from then on for
// the length of the window and a margin: whenever in between the request
// arrived, no window of the vendor's can hold more than the limit.
//
// Slots go out first come first served, across processes. Two asks are passed
// over: one that the limit of its own run holds back, so that a slow backfill
// does not slow down everybody, and one whose process has been silent for
// Rules.Absent, so that the dead do not block the living.
//
// Within the long window, grants are paced: a quarter of the limit may go at
// once, the rest follows evenly. The even rate is the limit for each length of
// the window, which is a little more than the window itself ever allows, and a
// late grant is made up for; so pacing moves grants inside a minute and loses
// none. It leaves room for others who draw on the same vendor limits.
package window
