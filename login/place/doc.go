// Package place is where a request comes from, approximately and in words: a city or a region, and a country.
//
// It looks them up in a file in MaxMind's format that the operator keeps beside the program (DB-IP and GeoLite2 come in it): nobody
// outside is asked. Without a file, and for an address that is not in it, there is no place. What is kept is the place, never the address.
package place
