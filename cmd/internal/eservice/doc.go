package eservice
