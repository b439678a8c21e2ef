# p.sh NAME TAG : raw stream
curl -s -i -X POST --unix-socket /tmp/pullexp/d.sock "http://x/v1.41/images/create?fromImage=$1&tag=$2${3:+&$3}" | tr -d '\r' | sed 's/"progress":"[^"]*",//' 
