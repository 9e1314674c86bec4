package sms
