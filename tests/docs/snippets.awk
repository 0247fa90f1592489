# SPDX-License-Identifier: MIT
# Prints each named C++ block of a Markdown page as a function.
/^<!-- run: [a-z0-9-]+ -->$/ { name = $3; gsub("-", "_", name); next }
/^```cpp$/ && name != "" { printf "void TestFromReactCpp::%s()\n{\n#line %d \"from-react.md\"\n", name, NR + 1; inside = 1; next }
/^```$/ && inside { print "}\n"; inside = 0; name = ""; next }
inside { print; next }
/^```/ { name = "" }
